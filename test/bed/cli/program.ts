import { explain, isAbort } from '@selvedge/kit';
import { Command, CommanderError } from 'commander';
import { Bed, defaultBedName } from '../bed.ts';
import { addBedCommands } from './bed-commands.ts';
import { exitCodeOf } from './exit-codes.ts';
import { addFaultCommands } from './fault-commands.ts';
import { addLookCommands } from './look-commands.ts';
import { addPartCommands } from './part-commands.ts';
import type { Program } from './program-context.ts';

export type ProgramOptions = Pick<Program, 'deps' | 'terminal' | 'signal' | 'shell'>;

const exitCodesText = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not there, 4 not in time; logs, shell and kubectl: the program's own.
See docs/tasks/testbed.md and docs/reference/bed.md.`;

/** The command line of beds. Resolves to the exit code; errors are told on stderr. */
export async function runBedCommand(args: readonly string[], options: ProgramOptions): Promise<number> {
  let exitCode = 0;
  const root = new Command('bed')
    .description('a real Kubernetes control plane, and sites behind NAT with nodes, on this machine')
    .option('-b, --bed <name>', 'which bed', defaultBedName)
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText('after', exitCodesText);
  const bedName = (): string => root.opts<{ readonly bed: string }>().bed;
  const program: Program = {
    ...options,
    bedName,
    open: () => Bed.open(bedName(), options.deps),
    exit: (code) => {
      exitCode = code;
    },
  };
  addBedCommands(root, program);
  addPartCommands(root, program);
  addFaultCommands(root, program);
  addLookCommands(root, program);
  try {
    await root.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (isAbort(error, options.signal)) throw error;
    process.stderr.write(`${explain(error)}\n`);
    return exitCodeOf(error);
  }
}
