import { SelvedgeError } from '@selvedge/kit';
import { plainHost } from '@selvedge/kit/net';
import { type Target, formatTarget } from '@selvedge/tunnel';
import { withoutNodeDomain } from '../config/index.ts';
import { type ClusterView, resolve } from '../egress/index.ts';

/** What a client in the cluster reaches at the edge. */
export interface EdgeTarget {
  readonly node: string;
  /** As the node is asked for it. */
  readonly target: Target;
}

const refused = (reason: string): SelvedgeError => new SelvedgeError(reason, { code: 'Forbidden' });

/**
 * Where a client's connection goes: to the kubelet of a node at the edge, by the names and addresses by which the API server
 * finds it too, or by its name in `domain`; or to a pod on one. Throws `Forbidden` for everything else. Pure.
 */
export function edgeTargetOf(
  asked: Target,
  { view, domain }: { readonly view: ClusterView; readonly domain: string },
): EdgeTarget {
  const target = { host: withoutNodeDomain(plainHost(asked.host), domain), port: asked.port };
  const service = view.service(target.host);
  if (service !== undefined) throw refused(`${target.host} is of Service ${service.name}, and none of a pod`);
  const { rule, route } = resolve(target, { view, random: () => 0 });
  if (route.kind === 'refused') throw refused(route.reason);
  if (route.kind === 'direct') throw refused(`${formatTarget(target)} is not at the edge`);
  const { node } = route;
  const port = view.node(node)?.kubeletPort;
  if (rule !== 'pod' && target.port !== port) {
    throw refused(`of node ${node} only port ${port}, the kubelet's, is reached here`);
  }
  return { node, target };
}
