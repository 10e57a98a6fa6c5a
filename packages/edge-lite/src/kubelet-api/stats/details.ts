import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, type Logger, ifPresent } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';
import { podFolder } from '../../pods/index.ts';
import type { FileUseRecord, Runtime } from '../../runtime/index.ts';
import { aged } from './aged.ts';
import { type MachineReader, readDisk } from './machine.ts';
import { type CgroupPlace, containerCgroup } from './usage.ts';
import type {
  CgroupReader,
  Disk,
  FileUse,
  InterfaceCounters,
  NodeDetails,
  NodeUsage,
  PodStorage,
  PodUsage,
} from './types.ts';

export interface DetailsOptions extends CgroupPlace {
  /** The folders of pods; on the file system that counts as the node's. */
  readonly podsFolder: string;
  /** For what the runtime and the disks are asked for. */
  readonly storageAgeMs: number;
}

export interface DetailsDeps {
  readonly usage: (signal: AbortSignal) => Promise<NodeUsage>;
  readonly runtime: Pick<Runtime, 'writableLayers' | 'imageDisk'>;
  readonly cgroups: CgroupReader;
  readonly machine: MachineReader;
  readonly clock: Clock;
  readonly log: Logger;
}

type Storage = Pick<NodeDetails, 'disk' | 'images' | 'writable' | 'storage'>;

const toUse = ({ usedBytes, inodes }: FileUseRecord): FileUse => ({ usedBytes, usedInodes: inodes });

/** All files of one container's logs. */
async function logUse(path: string): Promise<FileUse> {
  const folder = dirname(path);
  const names = (await ifPresent(readdir(folder))) ?? [];
  const sizes = await Promise.all(names.map(async (name) => ifPresent(stat(join(folder, name)))));
  return {
    usedBytes: sizes.reduce((sum, file) => sum + (file?.blocks ?? 0) * 512, 0),
    usedInodes: sizes.length + 1,
  };
}

type Volume = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];
const kinds = ['emptyDir', 'configMap', 'secret', 'projected', 'downwardAPI'] as const;

/** What is used of a disk that volumes share is not counted: that would mean to walk through them. */
async function volumeDisk(folder: string, shared: Disk): Promise<Disk | undefined> {
  const disk = await ifPresent(readDisk(folder));
  const own = disk?.capacityBytes !== shared.capacityBytes || disk.inodes !== shared.inodes;
  return disk === undefined || own ? disk : { ...disk, usedBytes: undefined, usedInodes: undefined };
}

async function volumesOf(pod: Pod, podsFolder: string, shared: Disk): Promise<PodStorage['volumes']> {
  const folder = podFolder(podsFolder, pod.metadata.uid ?? '');
  const disks = new Map<string, Disk>();
  for (const volume of pod.spec?.volumes ?? ([] as readonly Volume[])) {
    const kind = kinds.find((one) => volume[one] !== undefined);
    const disk = kind === undefined ? undefined : await volumeDisk(folder.volume(kind, volume.name), shared);
    if (disk !== undefined) disks.set(volume.name, disk);
  }
  return disks;
}

function storageReader(
  { podsFolder }: DetailsOptions,
  { usage, runtime, log }: DetailsDeps,
): (signal: AbortSignal) => Promise<Storage> {
  /** What the runtime does not tell is left out of the answer. */
  const unlessFailed = async <T>(call: Promise<T>): Promise<T | undefined> =>
    call.catch((error: unknown) => {
      log.debug('the runtime does not tell what its disks hold', { error });
      return undefined;
    });
  return async (signal) => {
    const disk = await readDisk(podsFolder);
    const { pods } = await usage(signal);
    const layers = await unlessFailed(runtime.writableLayers(signal));
    const image = await unlessFailed(runtime.imageDisk(signal));
    const imageDisk = image === undefined ? undefined : await ifPresent(readDisk(image.mountpoint));
    const storage = new Map<string, PodStorage>();
    for (const { pod, containers } of pods) {
      signal.throwIfAborted();
      const logs = containers.map(async ({ record }) => [record.id, await logUse(record.logPath)] as const);
      const volumes = await volumesOf(pod, podsFolder, disk);
      storage.set(pod.metadata.uid ?? '', { logs: new Map(await Promise.all(logs)), volumes });
    }
    return {
      disk,
      images: image && imageDisk && { ...imageDisk, ...toUse(image) },
      writable: new Map(Array.from(layers ?? [], ([id, use]) => [id, toUse(use)])),
      storage,
    };
  };
}

/** By the counters of any process in the sandbox. Pods on the host's network have none of their own. */
function podNetwork(
  { sandbox, cgroup }: PodUsage,
  { cgroups, machine }: DetailsDeps,
  place: CgroupPlace,
): readonly InterfaceCounters[] {
  if (sandbox.hostNetwork) return [];
  const [pid] = cgroups.processes(containerCgroup(cgroup, sandbox.id, place));
  return pid === undefined ? [] : machine.networkOf(pid);
}

/** All that is known of the node; what lies on disks may be older. */
export function createDetailsReader(
  options: DetailsOptions,
  deps: DetailsDeps,
): (signal: AbortSignal) => Promise<NodeDetails> {
  const { machine } = deps;
  const storage = aged({ maxAgeMs: options.storageAgeMs }, deps, storageReader(options, deps));
  return async (signal) => {
    const stored = await storage(signal);
    const usage = await deps.usage(signal);
    const networks = usage.pods.map(
      (pod) => [pod.pod.metadata.uid ?? '', podNetwork(pod, deps, options)] as const,
    );
    return {
      ...stored,
      usage,
      network: machine.network(),
      defaultInterface: machine.defaultInterface(),
      networks: new Map(networks),
      tasks: machine.tasks(),
    };
  };
}
