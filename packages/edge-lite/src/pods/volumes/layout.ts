import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';

/** The volumes that are folders of their own, and the kubelet's names of their plugins. */
const plugins = {
  emptyDir: 'kubernetes.io~empty-dir',
  configMap: 'kubernetes.io~configmap',
  secret: 'kubernetes.io~secret',
  downwardAPI: 'kubernetes.io~downward-api',
  projected: 'kubernetes.io~projected',
} as const;

export type FolderVolume = keyof typeof plugins;

/** Where a pod's files lie, below the folder of all pods; the kubelet's layout. */
export interface PodFolder {
  readonly path: string;
  readonly hostsFile: string;
  volume(kind: FolderVolume, name: string): string;
  /** Termination messages of one container. */
  container(name: string): string;
  subPath(volume: string, container: string, index: number): string;
}

export function podFolder(pods: string, uid: string): PodFolder {
  // An empty or climbing name would be the folder of all pods, or more.
  if (!/^[\w-]+$/.test(uid)) throw new SelvedgeError(`invalid pod uid: ${uid}`, { code: 'Invalid' });
  const path = join(pods, uid);
  return {
    path,
    hostsFile: join(path, 'etc-hosts'),
    volume: (kind, name) => join(path, 'volumes', plugins[kind], name),
    container: (name) => join(path, 'containers', name),
    subPath: (volume, container, index) => join(path, 'volume-subpaths', volume, container, String(index)),
  };
}
