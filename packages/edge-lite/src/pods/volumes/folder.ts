import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Pod, Volume } from '@selvedge/kube/types';

import { podLimits, wholeValue, type ResourceList } from '../spec/index.ts';
import type { FolderVolume } from './layout.ts';
import type { Mounter } from './mounter.ts';
import { nestedMountPoints } from './nested.ts';
import { giveToGroup } from './ownership.ts';

export interface FolderRequest {
  readonly pod: Pod;
  readonly volume: Volume;
  readonly kind: FolderVolume;
  readonly path: string;
  readonly allocatable: ResourceList;
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Secrets and what is like them must not reach the flash. */
function inMemory({ kind, volume }: FolderRequest): boolean {
  return kind === 'emptyDir' ? volume.emptyDir?.medium === 'Memory' : kind !== 'configMap';
}

/** No more than the pod itself may use. Source: `calculateEmptyDirMemorySize` of Kubernetes 1.36. */
function tmpfsSize({ pod, volume, allocatable }: FolderRequest): bigint {
  const bounds = [
    wholeValue(allocatable['memory']),
    podLimits(pod).memoryBytes ?? 0n,
    wholeValue(volume.emptyDir?.sizeLimit),
  ];
  const set = bounds.filter((bound) => bound > 0n);
  return set.reduce((a, b) => (b < a ? b : a), set[0] ?? 0n);
}

const open = 0o777;
const setGroupId = 0o2000;

async function makeNested(request: FolderRequest, path: string): Promise<void> {
  for (const name of nestedMountPoints(request.pod, request.volume.name)) {
    await mkdir(join(path, name), { recursive: true, mode: 0o755 });
  }
}

/** Resolves with whether it was not there. */
async function mountMemory(request: FolderRequest, mounter: Mounter, signal: AbortSignal): Promise<boolean> {
  const { pod, path } = request;
  if ((await mounter.below(path)).includes(path)) return false;
  await mkdir(path, { recursive: true, mode: 0o750 });
  const gid = pod.spec?.securityContext?.fsGroup;
  const mode = gid === undefined ? open : open | setGroupId;
  const options = { sizeBytes: tmpfsSize(request), mode, ...(gid === undefined ? {} : { gid }) };
  await mounter.tmpfs(path, options, signal);
  return true;
}

/** Made aside and then renamed: what is there is complete. */
async function makeOnDisk(request: FolderRequest): Promise<void> {
  const { pod, path, kind } = request;
  if (await isThere(path)) return;
  const draft = `${path}.draft`;
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft);
  await chmod(draft, open);
  await makeNested(request, draft);
  const group = pod.spec?.securityContext?.fsGroup;
  if (group !== undefined && kind === 'emptyDir') await giveToGroup(draft, { group, readOnly: false });
  await rename(draft, path);
}

/** Makes the folder of a volume, or the tmpfs, unless it is there. What a pod did with it meanwhile stays. */
export async function makeFolder(
  request: FolderRequest,
  mounter: Mounter,
  signal: AbortSignal,
): Promise<void> {
  if (!inMemory(request)) {
    await makeOnDisk(request);
    return;
  }
  const fresh = await mountMemory(request, mounter, signal);
  // Where a pod may write it could have laid a link that leads us out.
  if (fresh || request.kind !== 'emptyDir') await makeNested(request, request.path);
}
