import { resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import type { Reading, Seen } from '../../reading/index.ts';
import type { DnsFacts } from '../facts.ts';

/** Where kubeadm, k3s and most hosted clusters have the Corefile; RKE2's; that of clusters which only import what is added. */
const configMaps = ['coredns', 'rke2-coredns-rke2-coredns', 'coredns-custom'];
const namespace = 'kube-system';

function isReadyDns({ metadata, status }: Pod): boolean {
  const ready = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  return metadata.labels?.['k8s-app'] === 'kube-dns' && ready === true;
}

export async function lookAtDns({
  pods,
  reading,
}: {
  readonly pods: Seen<readonly Pod[]>;
  readonly reading: Reading;
}): Promise<DnsFacts> {
  const found = await Promise.all(
    configMaps.map((name) => reading.get(resources.configMaps, { namespace, name })),
  );
  const isUnread = found.some(({ kind }) => kind === 'unread');
  const ready = pods.kind === 'seen' ? pods.value.filter(isReadyDns) : undefined;
  return {
    coreDns: found.some(({ kind }) => kind === 'seen') || (isUnread ? undefined : false),
    nodes: ready && [...new Set(ready.map(({ spec }) => spec?.nodeName ?? ''))],
  };
}
