import { Mount, MountPropagation, message } from '@selvedge/containerd-grpc-types';
import { SelvedgeError, hasCode, type Logger } from '@selvedge/kit';
import type { VolumeMount } from '@selvedge/kube/types';

import { expand, podRef, quote } from '../spec/index.ts';
import { podFolder } from './layout.ts';
import type { Mounter } from './mounter.ts';
import { hostsMount, terminationMount, type OwnFilesOptions, type OwnFilesRequest } from './own-files.ts';
import { bindSubPath, checkSubPath } from './sub-path.ts';
import type { MountsRequest } from './types.ts';

/** A volume that is ready to be mounted. */
export interface ReadyVolume {
  readonly hostPath: string;
  /** It is read-only whatever the container asks for. */
  readonly readOnly: boolean;
}

export interface ContainerMountsDeps {
  readonly mounter: Mounter;
  readonly log: Logger;
}

export interface ContainerMountsOptions extends OwnFilesOptions {
  /** The folder of all pods. */
  readonly pods: string;
}

interface Ask extends OwnFilesRequest {
  readonly volumes: ReadonlyMap<string, ReadyVolume>;
}

const propagations: Readonly<Record<string, MountPropagation>> = {
  HostToContainer: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  Bidirectional: MountPropagation.PROPAGATION_BIDIRECTIONAL,
};

/** The sub path with the container's variables in it; all of them must have a value. */
function subPathOf({ subPath = '', subPathExpr = '' }: VolumeMount, { env }: Ask): string {
  if (subPathExpr === '') return subPath;
  const values = new Map(env.map(({ key, value }) => [key, value.toString()]));
  const missing = new Set<string>();
  const expanded = expand(subPathExpr, (name) => {
    const value = values.get(name) ?? '';
    if (value === '') missing.add(name);
    return value;
  });
  if (missing.size === 0) return expanded;
  throw new SelvedgeError(`missing value for ${[...missing].toSorted().join(', ')}`, { code: 'Invalid' });
}

interface Prepared {
  readonly mount: VolumeMount;
  readonly index: number;
  readonly subPath: string;
  readonly volume: ReadyVolume;
}

async function hostPathOf(
  ask: Ask,
  prepared: Prepared,
  run: ContainerMountsDeps & { signal: AbortSignal },
): Promise<string> {
  const { mount, index, subPath, volume } = prepared;
  if (subPath === '') return volume.hostPath;
  const target = ask.folder.subPath(mount.name, ask.container.name, index);
  try {
    return await bindSubPath({ volume: volume.hostPath, subPath, target }, run, run.signal);
  } catch (cause) {
    run.signal.throwIfAborted();
    // What went wrong could tell the pod about the host's files.
    run.log.warn('sub path not mounted', {
      pod: podRef(ask.pod).uid,
      container: ask.container.name,
      error: cause,
    });
    const text = `failed to prepare subPath for volumeMount ${quote(mount.name)} of container ${quote(ask.container.name)}`;
    throw new SelvedgeError(text, { code: hasCode(cause, 'Unavailable') ? 'Unavailable' : 'Invalid' });
  }
}

function prepare(ask: Ask, mount: VolumeMount, index: number): Prepared {
  const volume = ask.volumes.get(mount.name);
  if (volume === undefined) {
    const text = `cannot find volume ${quote(mount.name)} to mount into container ${quote(ask.container.name)}`;
    throw new SelvedgeError(text, { code: 'Invalid' });
  }
  const subPath = subPathOf(mount, ask);
  checkSubPath(subPath);
  return { mount, index, subPath, volume };
}

function toMount({ mount, volume }: Prepared, hostPath: string): Mount {
  const { mountPath, readOnly = false, mountPropagation = 'None' } = mount;
  return message(Mount, {
    containerPath: mountPath.startsWith('/') ? mountPath : `/${mountPath}`,
    hostPath,
    readonly: readOnly || volume.readOnly,
    propagation: propagations[mountPropagation] ?? MountPropagation.PROPAGATION_PRIVATE,
  });
}

export type ContainerMounts = (
  request: MountsRequest,
  volumes: ReadonlyMap<string, ReadyVolume>,
  signal: AbortSignal,
) => Promise<readonly Mount[]>;

/** Volumes in the order of the spec, then `/etc/hosts`, then the file for the termination message. */
export function createContainerMounts(
  options: ContainerMountsOptions,
  deps: ContainerMountsDeps,
): ContainerMounts {
  return async (request, volumes, signal) => {
    const folder = podFolder(options.pods, podRef(request.pod).uid);
    const ask: Ask = { ...request, folder, volumes };
    const mounts: Mount[] = [];
    for (const [index, mount] of (request.container.volumeMounts ?? []).entries()) {
      const prepared = prepare(ask, mount, index);
      mounts.push(toMount(prepared, await hostPathOf(ask, prepared, { ...deps, signal })));
    }
    return [...mounts, ...(await hostsMount(ask, options)), ...(await terminationMount(ask))];
  };
}
