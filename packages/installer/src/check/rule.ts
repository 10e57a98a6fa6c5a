import type { CheckFacts, CheckedNode, SeenMachine } from './facts.ts';
import type { Finding } from './types.ts';

/** A finding before it has its id. */
export type Told = Omit<Finding, 'id'>;
/** Looks at facts for one thing. Pure. */
export type Rule = (facts: CheckFacts) => readonly Told[];
/** Rules by the id of what they find. */
export type Rules = Readonly<Record<string, Rule>>;

export const inCluster = 'cluster';
const onNode = ({ node }: CheckedNode): string => `node ${node.name}`;

/** A rule about each node, as the API server knows it. */
export function eachNode(
  rule: (node: CheckedNode, facts: CheckFacts) => readonly Omit<Told, 'where'>[],
): Rule {
  return (facts) =>
    facts.nodes.flatMap((node) => rule(node, facts).map((told) => ({ ...told, where: onNode(node) })));
}

/** A rule about each machine that was looked at. */
export function eachMachine(
  rule: (machine: SeenMachine, node: CheckedNode, facts: CheckFacts) => readonly Omit<Told, 'where'>[],
): Rule {
  return eachNode((node, facts) => (node.machine.kind === 'seen' ? rule(node.machine, node, facts) : []));
}

/** `1.36` of `v1.36.3+k3s1` as a number pair; undefined if there is none. */
export function versionOf(text: string): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(text) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

/** Negative if `a` is the older. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [versionOf(a), versionOf(b)];
  if (one === undefined || other === undefined) return 0;
  return one.major - other.major || one.minor - other.minor;
}
