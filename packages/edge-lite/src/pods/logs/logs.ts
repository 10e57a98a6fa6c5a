import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { systemCode } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';

import type { LogOf, PodLogs } from '../apply/index.ts';
import { allContainers, logFolder, podRef } from '../spec/index.ts';
import { rotatedNames } from './rotation-plan.ts';

export interface PodLogsOptions {
  /** `/var/log/pods` */
  readonly podLogs: string;
  /** `/var/log/containers`, where log collectors look. */
  readonly containerLogs: string;
}

/** The link's name as log collectors take it apart. Source: `legacyLogSymlink` of the kubelet. */
function linkName({ pod, container, id }: LogOf): string {
  const { namespace, name } = podRef(pod);
  const suffix = `_${namespace}_${container}-${id}.log`;
  return `${name.slice(0, 255 - suffix.length)}${suffix}`;
}

async function listed(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The uid at the end of a log folder's name; a pod's name and namespace hold no underscore. */
function uidOf(folder: string): string {
  return folder.split('_')[2] ?? '';
}

/** The logs of pods on this machine, laid out as the kubelet does. */
export function createPodLogs(options: PodLogsOptions): PodLogs {
  return {
    async prepare(pod: Pod) {
      const folder = join(options.podLogs, logFolder(pod));
      const containers = allContainers(pod).map(({ name }) => join(folder, name));
      await Promise.all(containers.map((path) => mkdir(path, { recursive: true })));
    },
    async link(of) {
      await mkdir(options.containerLogs, { recursive: true });
      try {
        await symlink(of.path, join(options.containerLogs, linkName(of)));
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
    },
    async removeContainer(of) {
      const folder = dirname(of.path);
      const log = basename(of.path);
      const names = [log, ...rotatedNames(log, await listed(folder))];
      await Promise.all(names.map((name) => rm(join(folder, name), { force: true })));
      await rm(join(options.containerLogs, linkName(of)), { force: true });
    },
    async removePod(uid) {
      const folders = (await listed(options.podLogs)).filter((folder) => uidOf(folder) === uid);
      const [namespace = '', name = ''] = folders[0]?.split('_') ?? [];
      const links = (await listed(options.containerLogs)).filter((link) =>
        link.startsWith(`${name}_${namespace}_`),
      );
      await Promise.all(
        folders.map((folder) => rm(join(options.podLogs, folder), { recursive: true, force: true })),
      );
      if (folders.length === 0) return;
      await Promise.all(links.map((link) => rm(join(options.containerLogs, link), { force: true })));
    },
    async uids() {
      return (await listed(options.podLogs)).map(uidOf).filter((uid) => uid !== '');
    },
  };
}
