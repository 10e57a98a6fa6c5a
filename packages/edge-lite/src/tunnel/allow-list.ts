import { isLoopback, plainHost } from '@selvedge/kit/net';
import { type Target, formatTarget } from '@selvedge/tunnel';
import type { Rule } from './rule.ts';

/** What is known of the node, now. */
export interface NodeFacts {
  readonly name: string;
  /** The names and addresses of its Node; none before it is known. */
  readonly addresses: readonly string[];
  /** The addresses of the machine's interfaces. */
  readonly machineAddresses: readonly string[];
  readonly kubelet: Target;
  /** Whether it is the address of a pod that runs on this node and has a network of its own. */
  isPod(address: string): boolean;
}

/** Why something is allowed. */
export type Permission = 'kubelet' | 'pod' | 'config';

export type Ruling =
  | { readonly kind: 'allowed'; readonly connect: Target; readonly by: Permission }
  | { readonly kind: 'refused'; readonly reason: string };

/** The machine itself for who dials it, unspecified addresses among them. */
const isItself = (host: string): boolean =>
  host === 'localhost' || host === '0.0.0.0' || host === '::' || isLoopback(host);

function isThisNode(host: string, { name, addresses, machineAddresses }: NodeFacts): boolean {
  return host === name || addresses.includes(host) || machineAddresses.includes(host) || isItself(host);
}

/**
 * What the cloud may reach through this node: its kubelet, under any of its own names and addresses; its pods; what the
 * config says. An address of the machine is never taken for a pod's, whatever the status of a pod says. Pure.
 */
export function rule(asked: Target, rules: readonly Rule[], node: NodeFacts): Ruling {
  const target = { host: plainHost(asked.host), port: asked.port };
  const isOwn = isThisNode(target.host, node);
  if (isOwn && target.port === node.kubelet.port) {
    return { kind: 'allowed', connect: node.kubelet, by: 'kubelet' };
  }
  if (!isOwn && node.isPod(target.host)) return { kind: 'allowed', connect: target, by: 'pod' };
  if (rules.some((one) => one.matches(target))) return { kind: 'allowed', connect: target, by: 'config' };
  const what = isOwn
    ? `of node ${node.name} only port ${node.kubelet.port}, the kubelet's, is allowed`
    : `${formatTarget(target)} is no pod of node ${node.name}, and its config does not allow it`;
  return { kind: 'refused', reason: what };
}
