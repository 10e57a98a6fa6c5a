import { readFile, readdir } from 'node:fs/promises';

export interface TreeUse {
  /** Resident memory of all processes of the tree, in MB (10^6 bytes). */
  readonly residentMb: number;
  /** The part of it that is backed by no file. */
  readonly anonymousMb: number;
  /** User and system time since each process began, in clock ticks (100 a second). */
  readonly cpuTicks: number;
}

interface ProcessUse extends TreeUse {
  readonly parent: number;
}

const kilobytes = (status: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);

async function read(pid: number): Promise<ProcessUse | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      parent: Number(fields[1]),
      cpuTicks: Number(fields[11]) + Number(fields[12]),
      residentMb: (kilobytes(status, 'VmRSS') * 1024) / 1e6,
      anonymousMb: (kilobytes(status, 'RssAnon') * 1024) / 1e6,
    };
  } catch {
    // It ended while we looked.
    return undefined;
  }
}

/** What a process and all its descendants use now. Source: proc_pid_stat(5), proc_pid_status(5). */
export async function useOfTree(root: number): Promise<TreeUse> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = new Map<number, ProcessUse>();
  await Promise.all(
    pids.map(async (pid) => {
      const use = await read(pid);
      if (use !== undefined) all.set(pid, use);
    }),
  );
  const belongs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at !== 0; at = all.get(at)?.parent) {
      if (at === root) return true;
    }
    return false;
  };
  const tree = [...all].filter(([pid]) => belongs(pid)).map(([, use]) => use);
  const sum = (field: keyof TreeUse): number => tree.reduce((total, use) => total + use[field], 0);
  return { residentMb: sum('residentMb'), anonymousMb: sum('anonymousMb'), cpuTicks: sum('cpuTicks') };
}
