/** Below it each node has one name, `NODE.nodes.selvedge`, where the config does not say otherwise. */
export const defaultNodeDomain = 'nodes.selvedge';

/** What the config says of it. */
interface Domains {
  readonly kubeletProxy?: { readonly domain: string } | undefined;
}

/** Names of nodes for clients in the cluster end so. */
export const nodeDomainOf = ({ kubeletProxy }: Domains): string => kubeletProxy?.domain ?? defaultNodeDomain;

/** `shop-1.nodes.selvedge` → `shop-1`. */
export function withoutNodeDomain(host: string, domain: string): string {
  const suffix = `.${domain}`;
  return host.endsWith(suffix) ? host.slice(0, -suffix.length) : host;
}
