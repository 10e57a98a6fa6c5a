import { type Host, programFailed } from '../host/index.ts';
import { limits } from '../limits.ts';

/** A container that runs, the one that holds the namespaces of a pod included. */
export interface Container {
  /** The runtime's. */
  readonly id: string;
  /** Of its pod, as the kubelet knows it: of a static pod it is the hash of its file. */
  readonly pod: string;
  /** When its first process started, in ticks since the machine did. */
  readonly started: number;
}

/**
 * Every process of a pod is in a cgroup whose path has the pod's uid and the container's id, whatever the runtime and
 * its driver: no program of theirs is asked, as each machine has others. Source: `kubelet/cm`, "cgroup_manager_linux.go".
 */
const script = `
grep -m 1 -Hs kubepods /proc/[0-9]*/cgroup
echo --
cat /proc/[0-9]*/stat 2> /dev/null
exit 0`;

const marker = '\n--\n';
const cgroup =
  /^\/proc\/(\d+)\/cgroup:.*pod([0-9a-f_-]{32,36})(?:\.slice)?[/:](?:[a-z-]+[-:])?([0-9a-f]{64})/;
/** The name in brackets may hold anything, 15 bytes of it, 64 of a thread of the kernel. Source: proc_pid_stat(5). */
const stat = /^(\d+) \([^]{0,64}?\) [A-Za-z] ((?:-?\d+ ?)+)$/gm;
/** Counted from the field after the state: its 22nd is this one. */
const startedField = 18;

function startTimes(text: string): ReadonlyMap<string, number> {
  const processes = Array.from(text.matchAll(stat), ([, pid = '', fields = '']) => {
    return [pid, Number(fields.split(' ')[startedField] ?? Number.NaN)] as const;
  });
  return new Map(processes.filter(([, started]) => !Number.isNaN(started)));
}

/** The containers in what the script printed, by their ids. Pure. */
export function parseContainers(printed: string): readonly Container[] {
  const end = `\n${printed}`.indexOf(marker);
  const started = startTimes(printed.slice(end + marker.length - 1));
  const containers = new Map<string, Container>();
  for (const line of printed.slice(0, Math.max(end, 0)).split('\n')) {
    const [, pid = '', uid = '', id = ''] = cgroup.exec(line) ?? [];
    const at = started.get(pid);
    // It ended in between.
    if (at === undefined) continue;
    const known = containers.get(id);
    const first = Math.min(at, known?.started ?? at);
    containers.set(id, { id, pod: uid.replaceAll('_', '-'), started: first });
  }
  return [...containers.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The containers that run on a machine now. */
export async function readContainers(host: Host, signal?: AbortSignal): Promise<readonly Container[]> {
  const command = { argv: ['sh', '-c', script], maxOutputBytes: limits.maxReadBytes } as const;
  const result = await host.run(command, signal);
  if (result.exitCode === 0) return parseContainers(result.stdout.toString());
  throw programFailed({ what: 'cannot read the containers' }, host, result);
}
