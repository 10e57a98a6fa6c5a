import type { Config } from './schema.ts';

/** Below it each node has one name, `NODE.nodes.selvedge`, where the config does not say otherwise. */
export const defaultNodeDomain = 'nodes.selvedge';

/** Names of nodes for clients in the cluster end so. */
export const nodeDomainOf = ({ kubeletProxy }: Pick<Config, 'kubeletProxy'>): string =>
  kubeletProxy?.domain ?? defaultNodeDomain;

/** `shop-1.nodes.selvedge` → `shop-1`. */
export function withoutNodeDomain(host: string, domain: string): string {
  const suffix = `.${domain}`;
  return host.endsWith(suffix) ? host.slice(0, -suffix.length) : host;
}
