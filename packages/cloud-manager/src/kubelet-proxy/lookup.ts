import { type Target } from '@selvedge/tunnel';
import { withoutNodeDomain } from '../config/index.ts';
import { type ClusterView, nodesOfName } from '../egress/index.ts';

/** Where the kubelet is that a server name stands for. */
export type Kubelet =
  | { readonly kind: 'edge'; readonly node: string; readonly target: Target }
  | { readonly kind: 'direct'; readonly node: string; readonly target: Target }
  | { readonly kind: 'unknown'; readonly reason: string };

export interface LookupDeps {
  readonly view: ClusterView;
  /** Names end so, or are a node's alone. */
  readonly domain: string;
  /** The InternalIP of a Node that is not at the edge, as it says. */
  readonly addressOf: (node: string) => string | undefined;
  /** Whether nodes may have that address. */
  readonly isOfNodes: (address: string) => boolean;
}

/** What a node says of itself makes no other port one that is dialled from here. */
const dialledPort = 10_250;

const unknown = (reason: string): Kubelet => ({ kind: 'unknown', reason });

/** A node without a tunnel says where it is; who reaches this proxy is to reach nothing but kubelets by that. */
function directly(node: string, port: number, { addressOf, isOfNodes }: LookupDeps): Kubelet {
  const host = addressOf(node);
  if (host === undefined) return unknown(`node ${node} has no InternalIP`);
  if (!isOfNodes(host)) return unknown(`the address of node ${node}, ${host}, is in no network of nodes`);
  if (port !== dialledPort) return unknown(`node ${node} has its kubelet on ${port}, not on ${dialledPort}`);
  return { kind: 'direct', node, target: { host, port } };
}

/**
 * `shop-1.nodes.selvedge`, or `shop-1`: clients that verify the kubelet's certificate send the name that is in it. Nodes
 * which are not at the edge have names too, so that who asks all of them needs no other way. Pure.
 */
export function kubeletOf(serverName: string, deps: LookupDeps): Kubelet {
  const { view, domain } = deps;
  const name = withoutNodeDomain(serverName, domain);
  const [found, ...others] = nodesOfName(name, undefined, view);
  if (found === undefined) return unknown(`there is no node ${name}`);
  if (others.length > 0) return unknown(`${others.length + 1} nodes say that they are ${name}`);
  const { node, kubeletPort: port } = found;
  if (view.isEdge(node)) return { kind: 'edge', node, target: { host: node, port } };
  return directly(node, port, deps);
}
