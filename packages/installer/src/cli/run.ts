import { redact } from '@selvedge/kit';
import { Command, CommanderError } from 'commander';
import { addCheck } from './commands/check.ts';
import { addCompletion } from './commands/completion.ts';
import { addConvert } from './commands/convert.ts';
import { addRevert } from './commands/revert.ts';
import { addJoin } from './commands/join.ts';
import { addReset } from './commands/reset.ts';
import { addStatus } from './commands/status.ts';
import { addSupportDump } from './commands/support-dump.ts';
import { addToken } from './commands/token.ts';
import { addUnit } from './commands/unit.ts';
import { exitCodeOf, exitCodes } from './errors/index.ts';
import type { CliHost } from './host.ts';
import { type Program, createProgram } from './program.ts';
import { createReporter } from './reporter.ts';
import { printable } from './text/index.ts';

const helpAfter = `
Exit codes: 0 done; 1 failed; 2 wrong usage or config; 3 check found errors, or a command refused because of what it found;
4 partly done, some nodes were rolled back; 130 stopped by Ctrl-C, resume with the same command.
Results go to stdout, everything else to stderr. NO_COLOR is honoured.`;

/** The command that is furthest down the line of words: its help is of use. */
function commandIn(root: Command, args: readonly string[]): string {
  let command = root;
  const names: string[] = [root.name()];
  for (const arg of args) {
    const next = command.commands.find((one) => one.name() === arg);
    if (next === undefined) break;
    command = next;
    names.push(arg);
  }
  return names.join(' ');
}

async function tellWrongUsage(host: CliHost, root: Command, error: CommanderError): Promise<void> {
  const reporter = createReporter(host, { json: host.args.includes('--json') });
  const what = redact(printable(error.message.replace(/^error: /, '')));
  const next = `${commandIn(root, host.args)} --help`;
  reporter.tell({ kind: 'problem', problem: { code: 'Invalid', what, why: [], next } });
  await reporter.end();
}

/** Commander's own exits, here exceptions; its messages are told as all others. */
function quiet(command: Command, host: CliHost): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => host.stdout.write(text),
    writeErr: (text) => host.stderr.write(text),
    outputError: () => undefined,
    getOutHelpWidth: () => host.stdout.columns ?? 100,
    getErrHelpWidth: () => host.stderr.columns ?? 100,
  });
  for (const one of command.commands) quiet(one, host);
}

/** All commands, with their flags. */
export function createRoot(program: Program): Command {
  const root = new Command('selvedge')
    .description('convert nodes of a Kubernetes cluster to edge nodes and back, and join bare machines')
    .version(`selvedge ${program.host.version}`)
    .addHelpText('after', helpAfter);
  addCheck(root, program);
  addConvert(root, program);
  addRevert(root, program);
  addJoin(root, program);
  addReset(root, program);
  addStatus(root, program);
  addToken(root, program);
  addUnit(root, program);
  addSupportDump(root, program);
  addCompletion(root, program);
  quiet(root, program.host);
  return root;
}

/** The command line. Resolves with the exit code; everything is told by then. */
export async function runCli(host: CliHost): Promise<number> {
  const program = createProgram(host);
  const root = createRoot(program);
  try {
    await root.parseAsync([...host.args], { from: 'user' });
    return program.exitCode();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const code = exitCodeOf(error);
    // Without a command, commander has printed the help: nothing is to be added.
    const isTold = code === exitCodes.done || error.code === 'commander.help';
    if (!isTold) await tellWrongUsage(host, root, error);
    return code;
  }
}
