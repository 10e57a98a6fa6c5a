import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import type { ProcessIdentity } from '../process/proc.ts';
import { type Argv, createDoors } from './doors.ts';
import { readHierarchyMounts } from './hierarchies.ts';
import { findInit } from './init-process.ts';

export interface MachineReference {
  readonly name: string;
  /** Relative to each cgroup hierarchy. */
  readonly cgroup: string;
}

/** PID 1 of the machine, as the host sees it; undefined while the machine is off. */
export async function machineInit({
  cgroup,
}: Pick<MachineReference, 'cgroup'>): Promise<ProcessIdentity | undefined> {
  const mounts = await readHierarchyMounts();
  const systemd = mounts.find(({ options }) => options.includes('name=systemd'));
  return systemd === undefined ? undefined : findInit(join(systemd.folder, cgroup));
}

/** The same, or `Unavailable`. */
async function runningInit(machine: MachineReference): Promise<ProcessIdentity> {
  const init = await machineInit(machine);
  if (init !== undefined) return init;
  throw new SelvedgeError(`${machine.name} is off`, { code: 'Unavailable', hint: 'power it on' });
}

/** The argv, on the host, of a program in a machine that is on, or `Unavailable`. `node` is Node 24. */
export async function enterMachine(machine: MachineReference, node: string, argv: Argv): Promise<Argv> {
  const { pid } = await runningInit(machine);
  const where = { cgroup: machine.cgroup, hierarchies: await readHierarchyMounts() };
  return createDoors(node).online(where, pid, argv);
}

/** The path, on the host, of a socket in a machine that is on. Links on the way would lead into the host. */
export async function machineSocket(machine: MachineReference, path: string): Promise<string> {
  return `/proc/${(await runningInit(machine)).pid}/root${path}`;
}
