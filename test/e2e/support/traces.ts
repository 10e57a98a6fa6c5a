import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bed } from '@selvedge/bed';
import { nodeFolder, stateFolder } from './edge-lite.ts';

/** What pods leave on a light node, wherever they leave it. Lists of uids are sorted and hold each uid once. */
export interface PodTraces {
  /** One for each sandbox, dead or alive. */
  readonly sandboxes: readonly string[];
  /** `uid/container state`, one for each container that has not exited. */
  readonly containers: readonly string[];
  /** The uids of the pods of which containers have exited, once for each of them. */
  readonly exited: readonly string[];
  /** The uids that have a folder of edge-lite's. */
  readonly folders: readonly string[];
  /** The uids that have logs. */
  readonly logs: readonly string[];
  /** The uids that have a cgroup in any hierarchy. */
  readonly cgroups: readonly string[];
  /** The uids that have a mounted volume. */
  readonly mounts: readonly string[];
  /** How many tasks containerd has: one for each container and sandbox that runs. */
  readonly tasks: number;
  /** How many addresses of the pods' range are in use. */
  readonly addresses: number;
  /** How many mount points the runtime keeps: network namespaces, shared memory, root file systems. */
  readonly runtimeMounts: number;
}

const uidPattern = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g;

const list = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => []);
const uidsIn = (lines: readonly string[]): readonly string[] =>
  [...new Set(lines.flatMap((line) => line.match(uidPattern) ?? []))].toSorted();

/** The names of all cgroups below the node's, in every hierarchy. */
async function cgroups(bed: Bed, node: string): Promise<readonly string[]> {
  const roots = (await list('/sys/fs/cgroup')).map((each) =>
    join('/sys/fs/cgroup', each, `selvedge-${bed.name}`, node),
  );
  const below = roots.map((root) => readdir(root, { recursive: true }).catch(() => []));
  return (await Promise.all(below)).flat();
}

async function mounts(): Promise<readonly string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  return table.split('\n').map((line) => line.split(' ')[4] ?? '');
}

async function addresses(folder: string): Promise<number> {
  const networks = await list(folder);
  const files = await Promise.all(networks.map((network) => list(join(folder, network))));
  return files.flat().filter((file) => /^[\d.]+$/.test(file)).length;
}

/** Everything of pods that is on a light node now. */
export async function podTraces(bed: Bed, node: string): Promise<PodTraces> {
  const [root, state] = [nodeFolder(bed, node), stateFolder(bed, node)];
  const points = (await mounts()).filter((point) => point.startsWith(`${root}/`));
  const containers = await bed.containers(node);
  return {
    sandboxes: (await bed.sandboxes(node)).toSorted(),
    containers: containers
      .filter(({ state: now }) => now !== 'exited')
      .map(({ podUid, container, state: now }) => `${podUid}/${container} ${now}`)
      .toSorted(),
    exited: containers
      .filter(({ state: now }) => now === 'exited')
      .map(({ podUid }) => podUid)
      .toSorted(),
    folders: uidsIn(await list(join(state, 'pods'))),
    logs: uidsIn(await list(join(root, 'root/var/log/pods'))),
    cgroups: uidsIn(await cgroups(bed, node)),
    mounts: uidsIn(points.filter((point) => point.startsWith(`${state}/`))),
    tasks: (await list(join(root, 'run/io.containerd.runtime.v2.task/k8s.io'))).length,
    addresses: await addresses(join(root, 'ipam')),
    runtimeMounts: points.filter((point) => point.startsWith(`${join(root, 'run')}/`)).length,
  };
}
