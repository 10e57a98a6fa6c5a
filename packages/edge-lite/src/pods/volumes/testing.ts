import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Container, Pod, PodSpec, Volume } from '@selvedge/kube/types';
import { containerWith, podWith } from '../testing.ts';
import type { Mounter, TmpfsOptions } from './mounter.ts';

export interface TestFolder extends AsyncDisposable {
  readonly path: string;
}

/** A folder of its own, deleted when it is disposed. */
export async function testFolder(): Promise<TestFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'volumes-')));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface MountRecord {
  readonly path: string;
  readonly tmpfs?: TmpfsOptions;
}

/** A mounter that only keeps a table: folders stay what they are. */
export interface TableMounter extends Mounter {
  readonly mounts: readonly MountRecord[];
  /** Unmounting this path fails while it is set. */
  busy: string | undefined;
}

export function tableMounter(): TableMounter {
  const mounts: MountRecord[] = [];
  return {
    mounts,
    busy: undefined,
    async tmpfs(path, tmpfs) {
      mounts.push({ path, tmpfs });
    },
    async bind(_source, path) {
      mounts.push({ path });
    },
    async unmount(path) {
      if (this.busy === path) throw new Error(`${path} is busy`);
      const last = mounts.findLastIndex((mount) => mount.path === path);
      if (last < 0) throw new Error(`${path} is not mounted`);
      mounts.splice(last, 1);
    },
    below: async (folder) =>
      mounts.map(({ path }) => path).filter((path) => path === folder || path.startsWith(`${folder}/`)),
  };
}

/** A pod whose container mounts each of its volumes below `/v`. */
export function mounting(
  volumes: readonly Volume[],
  container: Partial<Container> = {},
  spec: Partial<PodSpec> = {},
): Pod {
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/v/${name}` }));
  return podWith({ volumes, containers: [containerWith({ volumeMounts, ...container })], ...spec });
}

export const configVolume: Volume = { name: 'conf', configMap: { name: 'conf' } };
export const tokenVolume: Volume = {
  name: 'token',
  projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }] },
};
