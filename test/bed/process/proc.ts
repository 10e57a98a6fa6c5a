import { readFile, readdir, readlink } from 'node:fs/promises';

/** A process, told from a later one with the same pid by when it started. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since the machine booted. Source: proc_pid_stat(5), field 22. */
  readonly startTicks: string;
}

interface ProcessStat {
  /** A letter. */
  readonly state: string;
  /** The parent's pid. */
  readonly parent: number;
  readonly startTicks: string;
}

/** What `/proc/PID/stat` says. The name between the parentheses may hold anything. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .trimEnd()
    .split(' ');
  const [state, parent, startTicks] = [fields[0], fields[1], fields[19]];
  if (state === undefined || state === '' || startTicks === undefined) return undefined;
  return { state, parent: Number(parent), startTicks };
}

/** The identity of a process that still runs; zombies do not. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const stat = text === undefined ? undefined : parseStat(text);
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
  return { pid, startTicks: stat.startTicks };
}

export async function isRunning(process: ProcessIdentity): Promise<boolean> {
  return (await identify(process.pid))?.startTicks === process.startTicks;
}

/** Sends a signal, unless the process is gone or another one has its pid. */
export async function signalProcess(target: ProcessIdentity, name: NodeJS.Signals): Promise<void> {
  if (!(await isRunning(target))) return;
  try {
    process.kill(target.pid, name);
  } catch {
    // It ended between the two lines.
  }
}

export async function allPids(): Promise<readonly number[]> {
  return (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
}

/** What tells a process's owner. Empty where the process is gone or may not be read. */
export interface ProcessTraits {
  /** Its pid. */
  readonly parent: number | undefined;
  /** `net:[4026532008]`. */
  readonly network: string;
  readonly environment: readonly string[];
  /** The paths of its cgroups, one for each hierarchy. */
  readonly cgroups: readonly string[];
}

export async function readTraits(pid: number): Promise<ProcessTraits> {
  const text = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
  const [stat, network, environment, cgroups] = await Promise.all([
    text('stat'),
    readlink(`/proc/${pid}/ns/net`).catch(() => ''),
    text('environ'),
    text('cgroup'),
  ]);
  return {
    parent: parseStat(stat)?.parent,
    network,
    environment: environment.split('\0'),
    cgroups: cgroups.split('\n').map((line) => line.split(':').slice(2).join(':')),
  };
}
