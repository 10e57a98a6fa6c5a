import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Mount, MountPropagation, message } from '@selvedge/containerd-grpc-types';
import { SelvedgeError, hasCode, type Logger } from '@selvedge/kit';
import type { VolumeMount } from '@selvedge/kube/types';

import { expand, hostsFile, podRef, quote } from '../spec/index.ts';
import { podFolder, type PodFolder } from './layout.ts';
import type { Mounter } from './mounter.ts';
import { bindSubPath, checkSubPath } from './sub-path.ts';
import type { MountsRequest } from './types.ts';

const hostsPath = '/etc/hosts';
/** Termination messages of ended instances that are kept for each container. */
const keptMessages = 3;

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

export interface ContainerMountsOptions {
  /** The folder of all pods. */
  readonly pods: string;
  readonly clusterDomain: string;
  /** The node's own hosts file. */
  readonly hostsFile: string;
}

interface Ask extends MountsRequest {
  readonly folder: PodFolder;
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

/** In place: running containers see the same file. */
async function writeIfChanged(path: string, text: string): Promise<void> {
  const held = await readFile(path, 'utf8').catch(() => undefined);
  if (held === text) return;
  await writeFile(path, text);
  await chmod(path, 0o644);
}

async function hostsMount(ask: Ask, options: ContainerMountsOptions): Promise<readonly Mount[]> {
  const { pod, podIPs, container, folder } = ask;
  const onHost = pod.spec?.hostNetwork === true;
  const own = container.volumeMounts?.some(({ mountPath }) => mountPath === hostsPath) === true;
  if (own || (podIPs.length === 0 && !onHost)) return [];
  const nodeHosts = onHost ? await readFile(options.hostsFile, 'utf8') : '';
  const { clusterDomain } = options;
  await writeIfChanged(folder.hostsFile, hostsFile({ pod, podIPs, clusterDomain, nodeHosts }));
  return [message(Mount, { containerPath: hostsPath, hostPath: folder.hostsFile })];
}

async function forgetMessages(folder: string): Promise<void> {
  const names = await readdir(folder);
  const files = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), atMs: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = files.toSorted((a, b) => b.atMs - a.atMs).slice(keptMessages);
  for (const { path } of old) await rm(path, { force: true });
}

async function terminationMount({ container, folder }: Ask): Promise<readonly Mount[]> {
  const { terminationMessagePath: containerPath = '' } = container;
  if (containerPath === '') return [];
  const own = folder.container(container.name);
  await mkdir(own, { recursive: true, mode: 0o750 });
  await forgetMessages(own);
  const hostPath = join(own, randomBytes(4).toString('hex'));
  await (await open(hostPath, 'wx')).close();
  await chmod(hostPath, 0o666);
  return [message(Mount, { containerPath, hostPath })];
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
