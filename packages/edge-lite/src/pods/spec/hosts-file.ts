import type { HostAlias, Pod } from '@selvedge/kube/types';

import { podHostname } from './hostname.ts';

const managed = `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return '';
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}

export interface HostsFileInput {
  readonly pod: Pod;
  readonly podIPs: readonly string[];
  readonly clusterDomain: string;
  /** The node's own `/etc/hosts`, for pods on its network. */
  readonly nodeHosts: string;
}

/**
 * The content of the pod's `/etc/hosts`.
 * Source: https://kubernetes.io/docs/tasks/network/customize-hosts-file-for-pods/
 */
export function hostsFile({ pod, podIPs, clusterDomain, nodeHosts }: HostsFileInput): string {
  const aliases = aliasLines(pod.spec?.hostAliases ?? []);
  if (pod.spec?.hostNetwork === true) {
    return `# Kubernetes-managed hosts file (host network).\n${nodeHosts}${aliases}`;
  }
  const { hostname, domain } = podHostname(pod, clusterDomain);
  const names = domain === '' ? hostname : `${hostname}.${domain}\t${hostname}`;
  return `${managed}${podIPs.map((ip) => `${ip}\t${names}\n`).join('')}${aliases}`;
}
