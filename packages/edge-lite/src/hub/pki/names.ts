/** Under which names clients of this node reach the hub. */
export interface FixedNames {
  readonly nodeName: string;
  /** `cluster.local`. */
  readonly clusterDomain: string;
  /** Undefined: loopback only. */
  readonly linkLocalAddress: string | undefined;
}

/** DNS names and addresses, sorted, each once. Pure. */
export function servedNames(fixed: FixedNames, clusterIPs: readonly string[]): readonly string[] {
  const { nodeName, clusterDomain, linkLocalAddress } = fixed;
  const service = 'kubernetes.default.svc';
  const names = [
    'kubernetes',
    'kubernetes.default',
    service,
    `${service}.${clusterDomain}`,
    'localhost',
    nodeName,
  ];
  const addresses = ['127.0.0.1', '::1', ...(linkLocalAddress === undefined ? [] : [linkLocalAddress])];
  return [...new Set([...names, ...addresses, ...clusterIPs])].toSorted();
}
