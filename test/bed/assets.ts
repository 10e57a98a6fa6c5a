import type { Assets, Binary } from '@selvedge/hack/setup';
import type { KubernetesVersion } from './description.ts';

/** The programs of a bed with stock and lite nodes. */
export const bedBinaries = [
  'etcd',
  'coredns',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'kubelet',
  'kube-proxy',
  'containerd',
  'ctr',
  'runc',
] as const satisfies readonly Binary[];

/** What an older control plane needs besides. */
export const controlPlane135 = [
  'kube-apiserver-1.35',
  'kube-controller-manager-1.35',
  'kube-scheduler-1.35',
] as const satisfies readonly Binary[];

/** What nodes with containerd 2.4 need besides. */
export const containerd24 = ['containerd-2.4', 'ctr-2.4'] as const satisfies readonly Binary[];

/** Absolute paths; those that no part of the bed asks for may be absent. */
export type BedAssets = Assets<(typeof bedBinaries)[number]> & Partial<Assets>;

/** The control plane's binaries of a version. */
export function controlPlaneBinaries(version: KubernetesVersion): {
  readonly apiServer: Binary;
  readonly controllerManager: Binary;
  readonly scheduler: Binary;
} {
  if (version === '1.35') {
    const [apiServer, controllerManager, scheduler] = controlPlane135;
    return { apiServer, controllerManager, scheduler };
  }
  return {
    apiServer: 'kube-apiserver',
    controllerManager: 'kube-controller-manager',
    scheduler: 'kube-scheduler',
  };
}
