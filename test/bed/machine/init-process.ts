import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProcessIdentity, identify } from '../process/proc.ts';

/**
 * The pids of a process, from the outermost PID namespace that can be seen to its own, in the text of
 * `/proc/PID/status`. Source: proc_pid_status(5), NSpid.
 */
export function parseNamespacePids(status: string): readonly number[] {
  const fields = (/^NSpid:(.*)$/m.exec(status)?.[1] ?? '').trim().split(/\s+/);
  return fields.filter((field) => field !== '').map(Number);
}

async function namespacePids(pid: number | 'self'): Promise<readonly number[]> {
  return parseNamespacePids(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''));
}

async function cgroupPids(folder: string): Promise<readonly number[]> {
  const text = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}

/**
 * The machine's PID 1, found by the machine's cgroup alone, whoever started it. `folder` is that cgroup in systemd's
 * hierarchy. Undefined while the machine is off.
 */
export async function findInit(folder: string): Promise<ProcessIdentity | undefined> {
  const depth = (await namespacePids('self')).length + 1;
  // systemd starts in the cgroup itself and moves to init.scope.
  const pids = [...(await cgroupPids(folder)), ...(await cgroupPids(join(folder, 'init.scope')))];
  for (const pid of pids) {
    const seen = await namespacePids(pid);
    if (seen.length === depth && seen.at(-1) === 1) return identify(pid);
  }
  return undefined;
}
