import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { lockFile } from '@selvedge/hack/setup';
import { SelvedgeError } from '@selvedge/kit';
import { type ProcessIdentity, identify, isRunning } from '../process/proc.ts';
import { type RemoveDeps, removeRun } from './remove-run.ts';

/**
 * What one process and its children put on the machine for a while: a run of tests, of a bench. All of it bears the
 * run's name, so that it is found when the run was killed: the temporary folder, which the run's processes have in
 * `TMPDIR`; cgroups and network namespaces, whose names begin with it. Beds are noted down in the folder.
 */
export interface Run extends AsyncDisposable {
  /** Absolute; the `TMPDIR` for all that belongs to the run. */
  readonly folder: string;
}

export interface RunOptions {
  /** Where the folders of runs are. Default: the temporary folder of this process. */
  readonly root?: string;
}

const prefix = 'selvedge-run-';
const pattern = /^selvedge-run-(\d+)-(\d+)$/;

function ownerOf(name: string): ProcessIdentity | undefined {
  const [, pid, startTicks] = pattern.exec(name) ?? [];
  return pid === undefined || startTicks === undefined ? undefined : { pid: Number(pid), startTicks };
}

/** A run of this user whose process is gone. */
async function isDead(folder: string): Promise<boolean> {
  const owner = ownerOf(basename(folder));
  if (owner === undefined || (await isRunning(owner))) return false;
  return (await stat(folder).catch(() => undefined))?.uid === process.getuid?.();
}

/** Removes a dead run, or waits until another process has. */
async function sweepRun(folder: string, deps: RemoveDeps): Promise<void> {
  try {
    await using lock = await lockFile(join(folder, 'lock'));
    await removeRun(folder, deps);
  } catch (error) {
    if (await isDead(folder)) throw error;
  }
}

/** Removes what dead runs have left. */
async function sweepRuns(root: string, deps: RemoveDeps): Promise<void> {
  for (const name of await readdir(root)) {
    const folder = join(root, name);
    if (await isDead(folder)) await sweepRun(folder, deps);
  }
}

/** Sweeps, then begins a run of this process. Disposing of it removes whatever still bears its name. */
export async function openRun(options: RunOptions, deps: RemoveDeps): Promise<Run> {
  const root = options.root ?? tmpdir();
  await sweepRuns(root, deps);
  const own = await identify(process.pid);
  if (own === undefined) throw new SelvedgeError('this process is not in /proc', { code: 'Unsupported' });
  const folder = join(root, `${prefix}${own.pid}-${own.startTicks}`);
  await mkdir(folder);
  return { folder, [Symbol.asyncDispose]: () => removeRun(folder, deps) };
}

/** The name of the run that this process belongs to: what its cgroups and namespaces have to begin with. */
export function runName(): string {
  const name = basename(tmpdir());
  return ownerOf(name) === undefined ? `${prefix}${process.pid}` : name;
}

/** A name for a bed of this run, made of up to six characters and the run's pid. It is taken down with the run. */
export async function nameBed(stem: string): Promise<string> {
  const { pid = process.pid } = ownerOf(runName()) ?? {};
  const name = `${stem}-${pid.toString(36)}`;
  const beds = join(tmpdir(), 'beds');
  await mkdir(beds, { recursive: true });
  await writeFile(join(beds, name), '');
  return name;
}
