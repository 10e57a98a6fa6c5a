import { SelvedgeError } from '@selvedge/kit';
import { type LabelRequirements, matchesLabels, parseLabelSelector } from '@selvedge/kube';
import type { ClusterNode } from './cluster-node.ts';

/** A node as a person names it. */
export interface NamedNode {
  readonly name: string;
  /** Where it is reached. Default: what its Node says. */
  readonly address?: string;
}

/** Which nodes a person means. */
export interface NodeChoice {
  /** Absent, or none: nodes are not chosen by name. */
  readonly nodes?: readonly NamedNode[];
  /** A label selector, `shop=7,tier!=cloud`. */
  readonly selector?: string;
}

function invalid(message: string, hint: string): SelvedgeError {
  return new SelvedgeError(message, { code: 'Invalid', hint });
}

/** Reads `shop-1,shop-2=10.0.0.7`. Throws `Invalid`. */
export function parseNodeNames(text: string): readonly NamedNode[] {
  const nodes = text.split(',').map((part): NamedNode => {
    const [, name = '', address] = /^([^=\s]+)(?:=(\S+))?$/.exec(part.trim()) ?? [];
    if (name === '') throw invalid(`"${part}" is not a node name`, 'use --nodes a,b or --nodes a=ADDRESS');
    return address === undefined ? { name } : { name, address };
  });
  const again = nodes.find(({ name }, at) => nodes.findIndex((one) => one.name === name) !== at);
  if (again !== undefined) throw invalid(`${again.name} is listed twice`, 'list each node once');
  return nodes;
}

function named(choice: readonly NamedNode[], nodes: readonly ClusterNode[]): readonly ClusterNode[] {
  const found = choice.map(({ name, address }) => {
    const node = nodes.find((one) => one.name === name);
    return node === undefined || address === undefined ? node : { ...node, addresses: [address] };
  });
  const missing = choice.filter((_one, at) => found[at] === undefined);
  if (missing.length === 0) return found.filter((one) => one !== undefined);
  throw new SelvedgeError(`node ${missing.map(({ name }) => name).join(', ')} not found`, {
    code: 'NotFound',
    hint: 'kubectl get nodes lists the names',
  });
}

function selected(selector: LabelRequirements, nodes: readonly ClusterNode[]): readonly ClusterNode[] {
  return nodes.filter((node) => matchesLabels(selector, node.labels));
}

/** The nodes that are meant. Throws `Invalid` if nothing or too much was said, `NotFound` for a name that no node has. */
export function selectNodes(
  { nodes: names = [], selector }: NodeChoice,
  nodes: readonly ClusterNode[],
): readonly ClusterNode[] {
  if (selector !== undefined && names.length > 0) {
    throw invalid('--nodes and --selector cannot be combined', 'use only one of them');
  }
  if (names.length > 0) return named(names, nodes);
  if (selector === undefined) {
    throw invalid('no nodes chosen', 'use --nodes a,b or --selector key=value');
  }
  return selected(parseLabelSelector(selector), nodes);
}
