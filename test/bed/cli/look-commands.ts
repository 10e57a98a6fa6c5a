import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import type { Command } from 'commander';
import type { Bed } from '../bed.ts';
import { type Argv, enterMachine } from '../machine/index.ts';
import { bedNames } from '../names.ts';
import { inNamespace } from '../network/apply.ts';
import { namespaceOf } from '../network/place.ts';
import type { Program } from './program-context.ts';

/** A program in all namespaces of a machine. */
function inMachine(program: Program, name: string, argv: Argv): Promise<Argv> {
  const machine = { name, cgroup: bedNames(program.bedName()).nodeCgroup(name) };
  return enterMachine(machine, program.deps.edgeLite[0], argv);
}

async function machinesOf(bed: Bed): Promise<readonly string[]> {
  const { nodes } = await bed.describe();
  return nodes.filter(({ kind }) => kind === 'machine').map(({ name }) => name);
}

/** A machine keeps its log itself: all of it by its name, one program's part by `PROGRAM.MACHINE`. */
async function journal(
  program: Program,
  names: { unit: string; machine: string },
  follow: boolean,
): Promise<Argv> {
  const unit = names.unit === '' ? [] : [`--unit=${names.unit}`];
  const how = follow ? ['--follow', '--lines=100'] : ['--no-pager'];
  return inMachine(program, names.machine, ['journalctl', ...unit, ...how]);
}

async function logArgv(program: Program, bed: Bed, name: string, follow: boolean): Promise<Argv> {
  const [machines, files] = await Promise.all([machinesOf(bed), logFiles(bed)]);
  const dot = name.lastIndexOf('.');
  const machine = name.slice(dot + 1);
  if (machines.includes(machine))
    return journal(program, { unit: name.slice(0, Math.max(0, dot)), machine }, follow);
  if (!files.includes(name)) {
    const hint = `there are ${[...files, ...machines].toSorted().join(', ')}`;
    throw new SelvedgeError(`bed ${bed.name} has no log ${name}`, { code: 'NotFound', hint });
  }
  const file = join(bed.logs, `${name}.log`);
  return follow ? ['tail', '-n', '100', '-F', file] : ['cat', file];
}

async function logFiles(bed: Bed): Promise<readonly string[]> {
  const files = await readdir(bed.logs);
  return files.filter((file) => file.endsWith('.log')).map((file) => file.slice(0, -'.log'.length));
}

async function listLogs(program: Program, bed: Bed): Promise<void> {
  const [files, machines] = await Promise.all([logFiles(bed), machinesOf(bed)]);
  for (const each of [...files, ...machines].toSorted()) program.terminal.print(each);
}

/** A shell, or a command: in a machine, else in the network of a node, a site's router or the cloud. */
async function shellArgv(program: Program, where: string, command: readonly string[]): Promise<Argv> {
  const bed = await program.open();
  const [first = program.shell, ...rest] = command;
  if ((await machinesOf(bed)).includes(where)) return inMachine(program, where, [first, ...rest]);
  return inNamespace(namespaceOf(await bed.describe(), where), [first, ...rest]);
}

/** Verbs that show and enter. They end with the exit code of the program that they ran. */
export function addLookCommands(root: Command, program: Program): void {
  root
    .command('logs [process]')
    .description('print a log, or which ones there are; a machine has one, PROGRAM.MACHINE is a part of it')
    .option('-f, --follow', 'go on as it grows')
    .action(async (name: string | undefined, { follow }: { readonly follow?: boolean }) => {
      const bed = await program.open();
      if (name === undefined) return listLogs(program, bed);
      program.exit(await program.terminal.handOver(await logArgv(program, bed, name, follow === true)));
    });
  root
    .command('shell <where> [command...]')
    .description('a shell, or a command, in a machine, or in the network of a node, a site or the cloud')
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (where: string, command: readonly string[]) => {
      program.exit(await program.terminal.handOver(await shellArgv(program, where, command)));
    });
  root
    .command('kubectl [arguments...]')
    .description("kubectl as the cluster's administrator; prints what kubectl prints and nothing else")
    .helpOption(false)
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (args: readonly string[]) => {
      const bed = await program.open();
      const { kubectl } = await program.deps.setup.assets({ binaries: ['kubectl'] as const });
      program.exit(await program.terminal.handOver([kubectl, `--kubeconfig=${bed.kubeconfig}`, ...args]));
    });
}
