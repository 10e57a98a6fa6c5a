import { SelvedgeError } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';

import { podRef } from './identity.ts';

const maxHostname = 63;
/** The kernel's nodename. */
const maxKernelName = 64;

export interface PodHostname {
  readonly hostname: string;
  /** Empty without a subdomain. */
  readonly domain: string;
}

/** The pod's names in DNS. Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-hostname/ */
export function podHostname(pod: Pod, clusterDomain: string): PodHostname {
  const { namespace, name } = podRef(pod);
  const { hostname = '', subdomain = '', hostnameOverride } = pod.spec ?? {};
  const wanted = hostnameOverride ?? (hostname === '' ? name : hostname);
  const fitting = wanted.length <= maxHostname ? wanted : wanted.slice(0, maxHostname).replace(/[-.]+$/, '');
  const domain =
    subdomain === '' || hostnameOverride !== undefined
      ? ''
      : `${subdomain}.${namespace}.svc.${clusterDomain}`;
  return { hostname: fitting, domain };
}

/** What `hostname` says in the pod. Throws `Invalid` if `setHostnameAsFQDN` asks for a name that the kernel cannot hold. */
export function kernelHostname(pod: Pod, clusterDomain: string): string {
  const { hostname, domain } = podHostname(pod, clusterDomain);
  if (domain === '' || pod.spec?.setHostnameAsFQDN !== true) return hostname;
  const full = `${hostname}.${domain}`;
  if (full.length <= maxKernelName) return full;
  const text = `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (${maxKernelName} characters is the max, ${full.length} characters requested)`;
  throw new SelvedgeError(text, { code: 'Invalid' });
}
