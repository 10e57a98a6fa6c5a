import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';
import { placeOf } from '../inventory/index.ts';
import type { ZonePlace } from './types.ts';
import { clusterDomainOf } from './zone.ts';

const namespace = 'kube-system';
const customKey = 'selvedge.server';

export interface DnsSeen {
  readonly zone: ZonePlace;
  readonly clusterDomain: string;
}

const placeIn = (name: string): ReturnType<typeof placeOf> =>
  placeOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } });

/** Which DNS the cluster has, and what it says of our zone. */
export async function lookAtDns(cluster: Pick<KubeClient, 'get'>, signal: AbortSignal): Promise<DnsSeen> {
  const configMap = (name: string): Promise<ConfigMap | undefined> =>
    ifFound(cluster.get(resources.configMaps, { namespace, name }, { signal }));
  const corefile = (await configMap('coredns'))?.data?.['Corefile'];
  if (corefile === undefined) {
    const why = 'no ConfigMap kube-system/coredns with a Corefile';
    return { zone: { kind: 'unknown', why }, clusterDomain: 'cluster.local' };
  }
  const clusterDomain = clusterDomainOf(corefile);
  if (/^\s*import\s+\S*custom\/\*\.server\s*$/m.test(corefile)) {
    const custom = await configMap('coredns-custom');
    const zone = { kind: 'custom', place: placeIn('coredns-custom'), key: customKey } as const;
    return {
      zone: { ...zone, text: custom?.data?.[customKey], isThere: custom !== undefined },
      clusterDomain,
    };
  }
  const reloads = /^\s*reload\b/m.test(corefile);
  const zone = {
    kind: 'corefile',
    place: placeIn('coredns'),
    key: 'Corefile',
    text: corefile,
    reloads,
  } as const;
  return { zone, clusterDomain };
}
