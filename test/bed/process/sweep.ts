import { stat } from 'node:fs/promises';
import type { Clock } from '@selvedge/kit';
import { processMark } from '../names.ts';
import { waitFor } from '../wait.ts';
import {
  type ProcessIdentity,
  type ProcessTraits,
  allPids,
  identify,
  readTraits,
  signalProcess,
} from './proc.ts';

/** Which processes are meant. A process that meets any of the criteria is. */
export interface ProcessFilter {
  /** Names in `/var/run/netns`. */
  readonly namespaces: readonly string[];
  /** The beginning of a process mark. */
  readonly mark?: string;
  /** A variable of the environment and its value: `NAME=VALUE`. */
  readonly variable?: string;
  /** A path relative to the cgroup hierarchies; what is below it is meant too. */
  readonly cgroup?: string;
  /** Its own children are not meant, whatever they meet; theirs are. */
  readonly exceptChildrenOf?: number;
}

/** The kernel's name of a network namespace, as in `/proc/PID/ns/net`; undefined if there is none. */
export async function namespaceId(name: string): Promise<string | undefined> {
  const { ino } = (await stat(`/var/run/netns/${name}`).catch(() => undefined)) ?? {};
  return ino === undefined ? undefined : `net:[${ino}]`;
}

/** Pure. `networks` are the kernel's names of the filter's namespaces. */
export function matches(
  filter: ProcessFilter,
  networks: ReadonlySet<string>,
  traits: ProcessTraits,
): boolean {
  if (filter.exceptChildrenOf !== undefined && traits.parent === filter.exceptChildrenOf) return false;
  if (networks.has(traits.network)) return true;
  const { mark, variable, cgroup } = filter;
  if (variable !== undefined && traits.environment.includes(variable)) return true;
  if (mark !== undefined && traits.environment.some((entry) => entry.startsWith(`${processMark}=${mark}`)))
    return true;
  if (cgroup === undefined) return false;
  return traits.cgroups.some((path) => path === `/${cgroup}` || path.startsWith(`/${cgroup}/`));
}

/** The processes that meet the filter, without this one. */
export async function findProcesses(filter: ProcessFilter): Promise<readonly ProcessIdentity[]> {
  const ids = await Promise.all(filter.namespaces.map(namespaceId));
  const networks = new Set(ids.filter((id) => id !== undefined));
  const found = await Promise.all(
    (await allPids()).map(async (pid) => {
      if (pid === process.pid) return undefined;
      const identity = await identify(pid);
      return identity !== undefined && matches(filter, networks, await readTraits(pid))
        ? identity
        : undefined;
    }),
  );
  return found.filter((each) => each !== undefined);
}

/** Kills what meets the filter, again and again until nothing does: a process may have forked meanwhile. */
export async function killProcesses(filter: ProcessFilter, clock: Clock): Promise<void> {
  await waitFor({ what: 'end of killed processes', timeoutMs: 20_000, everyMs: 10 }, clock, async () => {
    const left = await findProcesses(filter);
    await Promise.all(left.map((each) => signalProcess(each, 'SIGKILL')));
    return left.length === 0;
  });
}
