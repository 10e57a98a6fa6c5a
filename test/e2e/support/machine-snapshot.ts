import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@selvedge/hack/setup';

/** What the kernel holds for anybody on this machine: lines that tell one thing each. */
export interface MachineSnapshot {
  readonly namespaces: readonly string[];
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  /** Those in a network namespace other than the machine's, and those that call themselves a bed's. */
  readonly processes: readonly string[];
  readonly tables: readonly string[];
}

async function lines(argv: readonly [string, ...string[]]): Promise<readonly string[]> {
  return (await run({ argv })).stdout.split('\n').filter((line) => line.trim() !== '');
}

async function folders(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const below = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => folders(join(root, entry.name)));
  return [root, ...(await Promise.all(below)).flat()];
}

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** A process outside of the machine's own network, or one that a bed has marked. */
async function process(pid: string): Promise<readonly string[]> {
  const [own, environment, command, cgroups] = await Promise.all([
    run({ argv: ['stat', '--dereference', '--format=%i', '/proc/self/ns/net', `/proc/${pid}/ns/net`] }).catch(
      () => undefined,
    ),
    text(`/proc/${pid}/environ`),
    text(`/proc/${pid}/cmdline`),
    text(`/proc/${pid}/cgroup`),
  ]);
  const [mine, its] = own?.stdout.split('\n') ?? [];
  const mark = environment.split('\0').find((entry) => entry.startsWith('SELVEDGE_BED_PROCESS='));
  if (command === '' || (mine === its && mark === undefined)) return [];
  const cgroup = cgroups.split('\n').find((line) => line.includes(':pids:')) ?? '';
  return [`${pid} ${mark ?? ''} ${command.replaceAll('\0', ' ')} in ${cgroup}`];
}

async function processes(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  return (await Promise.all(pids.map(process))).flat();
}

export async function machineSnapshot(): Promise<MachineSnapshot> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  return {
    namespaces: await readdir('/var/run/netns').catch(() => []),
    links: (await lines(['ip', '-brief', 'link'])).map((line) => line.split(' ')[0] ?? ''),
    addresses: await lines(['ip', '-brief', 'address']),
    routes: await lines(['ip', 'route']),
    mounts: mountinfo.split('\n').map((line) => line.split(' ')[4] ?? ''),
    cgroups: await folders('/sys/fs/cgroup'),
    processes: await processes(),
    tables: await lines(['nft', 'list', 'tables']),
  };
}

/** Names a bed in what the kernel shows of it. */
const bedName =
  /selvedge[.-]([\w-]+?)(?=[./]|$)|\/beds\/([a-z0-9-]+)|\bsv-([a-z0-9-]+)|SELVEDGE_BED_PROCESS=([a-z0-9-]+)/;

/**
 * What is there after and was not there before, without what bears the name of another bed: those may come and go
 * meanwhile.
 */
export function added(
  before: MachineSnapshot,
  after: MachineSnapshot,
  bed: string,
): Partial<MachineSnapshot> {
  const ofOthers = (line: string): boolean => {
    const found = bedName
      .exec(line)
      ?.slice(1)
      .find((name) => name !== undefined);
    return found !== undefined && found !== bed;
  };
  const kinds = Object.keys(after) as (keyof MachineSnapshot)[];
  const news = kinds.map((kind) => {
    const known = new Set(before[kind]);
    return [kind, after[kind].filter((line) => !known.has(line) && !ofOthers(line))] as const;
  });
  return Object.fromEntries(news.filter(([, list]) => list.length > 0));
}
