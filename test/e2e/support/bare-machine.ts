import { type Host, type Hosts, createLocalHost } from '@selvedge/installer';
import { SelvedgeError, systemClock } from '@selvedge/kit';
import { type Machine, createMachine } from '@selvedge/bed/machine';
import { type BedContext, createContext, processBedDeps } from '../../bed/context.ts';
import type { Site } from './site.ts';

/** A machine of a bed, with a container runtime and images, and nothing that makes a node of it. */
export interface BareMachine extends AsyncDisposable {
  readonly name: string;
  readonly machine: Machine;
  /** As root on it. */
  readonly host: Host;
  /** What a program on it prints. */
  run(...argv: [string, ...string[]]): Promise<string>;
}

/** The machine under a node of the bed: to whoever knows its names it is the same. */
function machineUnder({ names, folders }: BedContext, name: string): Machine {
  const renewNetwork = (): Promise<never> =>
    Promise.reject(new SelvedgeError('only the bed powers its machines on', { code: 'Internal' }));
  return createMachine(
    {
      name,
      namespace: names.node(name),
      cgroup: names.nodeCgroup(name),
      folder: folders.node(name).root,
      base: '/',
      node: process.execPath,
    },
    { clock: systemClock, renewNetwork },
  );
}

/**
 * `$1`: the machine's cgroup, `$2`: its PID 1. As `Machine.exec` enters it, without a Node for each program: an installer runs
 * hundreds.
 */
const enter = `
for procs in /sys/fs/cgroup/*/"$1"/cgroup.procs; do echo $$ > "$procs"; done
pid=$2
shift 2
exec nsenter --target="$pid" --mount --uts --ipc --net --pid --cgroup -- \
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"`;

/** Programs run in the machine as on one behind SSH. */
function hostOf(machine: Machine, cgroup: string): Host {
  const local = createLocalHost({ clock: systemClock });
  return {
    ...local,
    name: machine.name,
    async run(command, signal) {
      const [, , pid = ''] = (await machine.hostRoot()).split('/');
      const argv = ['sh', '-c', enter, 'sh', cgroup, pid, ...command.argv] as const;
      return local.run({ ...command, argv }, signal);
    },
  };
}

export const hostsOf = (host: Host): Hosts => ({
  open: async () => ({ ...host, [Symbol.asyncDispose]: () => Promise.resolve() }),
});

export async function bareMachine(site: Pick<Site, 'bed'>, name: string): Promise<BareMachine> {
  await site.bed.addNode({ name, kind: 'machine', agent: 'none' });
  const context = createContext(site.bed.name, processBedDeps());
  const machine = machineUnder(context, name);
  return {
    name,
    machine,
    host: hostOf(machine, context.names.nodeCgroup(name)),
    run: async (...argv) => (await machine.exec(argv)).stdout.trim(),
    [Symbol.asyncDispose]: () => site.bed.removeNode(name),
  };
}
