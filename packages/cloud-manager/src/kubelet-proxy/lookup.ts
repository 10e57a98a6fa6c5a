import { type Target } from '@selvedge/tunnel';
import { withoutNodeDomain } from '../config/index.ts';
import { type ClusterView, nodesOfName } from '../egress/index.ts';

/** Where the kubelet is that a server name stands for. */
export type Kubelet =
  | { readonly kind: 'edge'; readonly node: string; readonly target: Target }
  | { readonly kind: 'direct'; readonly target: Target }
  | { readonly kind: 'unknown'; readonly reason: string };

export interface LookupDeps {
  readonly view: ClusterView;
  /** Names end so, or are a node's alone. */
  readonly domain: string;
  /** The InternalIP of a Node that is not at the edge. */
  readonly addressOf: (node: string) => string | undefined;
}

const unknown = (reason: string): Kubelet => ({ kind: 'unknown', reason });

/**
 * `shop-1.nodes.selvedge`, or `shop-1`: clients that verify the kubelet's certificate send the name that is in it. Nodes
 * which are not at the edge have names too, so that who asks all of them needs no other way. Pure.
 */
export function kubeletOf(serverName: string, { view, domain, addressOf }: LookupDeps): Kubelet {
  const name = withoutNodeDomain(serverName, domain);
  const [found, ...others] = nodesOfName(name, undefined, view);
  if (found === undefined) return unknown(`there is no node ${name}`);
  if (others.length > 0) return unknown(`${others.length + 1} nodes say that they are ${name}`);
  const { node, kubeletPort: port } = found;
  if (view.isEdge(node)) return { kind: 'edge', node, target: { host: node, port } };
  const host = addressOf(node);
  if (host === undefined) return unknown(`node ${node} has no InternalIP`);
  return { kind: 'direct', target: { host, port } };
}
