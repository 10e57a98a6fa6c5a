import { type KubeClient, resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import type { DnsFacts } from '../facts.ts';
import type { Reading } from './readable.ts';

/** Where kubeadm, k3s and most hosted clusters have the Corefile; RKE2's; that of clusters which only import what is added. */
const configMaps = ['coredns', 'rke2-coredns-rke2-coredns', 'coredns-custom'];
const namespace = 'kube-system';

function isReadyDns({ metadata, status }: Pod): boolean {
  const ready = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  return metadata.labels?.['k8s-app'] === 'kube-dns' && ready === true;
}

export async function lookAtDns(
  { pods, reading }: { readonly pods: readonly Pod[]; readonly reading: Reading },
  cluster: KubeClient,
  signal: AbortSignal,
): Promise<DnsFacts> {
  const there = configMaps.map((name) =>
    reading.read(`ConfigMap ${namespace}/${name}`, false, async () => {
      await cluster.get(resources.configMaps, { namespace, name }, { signal });
      return true;
    }),
  );
  const nodes = pods.filter(isReadyDns).map(({ spec }) => spec?.nodeName ?? '');
  return { coreDns: (await Promise.all(there)).includes(true), nodes: [...new Set(nodes)] };
}
