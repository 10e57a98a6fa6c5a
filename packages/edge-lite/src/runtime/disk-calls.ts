import type { FilesystemUsage } from '@selvedge/containerd-grpc-types';
import type { Cri } from './cri.ts';

/** What lies on a file system for one owner. */
export interface FileUseRecord {
  /** Where the file system is mounted, or a folder on it. */
  readonly mountpoint: string;
  readonly usedBytes: number;
  readonly inodes: number;
}

/** What the runtime's file systems hold. Source: CRI `ListContainerStats`, `ImageFsInfo`. */
export interface DiskCalls {
  /** What each container that runs has written beside its image, by its id. */
  writableLayers(signal: AbortSignal): Promise<ReadonlyMap<string, FileUseRecord>>;
  /** Where images lie; undefined if the runtime does not tell. */
  imageDisk(signal: AbortSignal): Promise<FileUseRecord | undefined>;
}

function toFileUse(usage: FilesystemUsage | undefined): FileUseRecord | undefined {
  if (usage === undefined) return undefined;
  return {
    mountpoint: usage.fsId?.mountpoint ?? '',
    usedBytes: Number(usage.usedBytes?.value ?? 0n),
    inodes: Number(usage.inodesUsed?.value ?? 0n),
  };
}

export function createDiskCalls(
  { runtime, images }: Cri,
  { callMs: deadlineMs }: { readonly callMs: number },
): DiskCalls {
  return {
    async writableLayers(signal) {
      const { stats } = await runtime.listContainerStats({ filter: undefined }, { signal, deadlineMs });
      const layers = stats.flatMap(({ attributes, writableLayer }) => {
        const use = toFileUse(writableLayer);
        return attributes === undefined || use === undefined ? [] : [[attributes.id, use] as const];
      });
      return new Map(layers);
    },
    async imageDisk(signal) {
      const { imageFilesystems } = await images.imageFsInfo({}, { signal, deadlineMs });
      return toFileUse(imageFilesystems[0]);
    },
  };
}
