import { runTool } from '@selvedge/hack/setup';
import { runBedCommand } from './cli/program.ts';
import { processTerminal } from './cli/terminal.ts';
import { processBedDeps } from './context.ts';

const shell = process.env['SHELL'] ?? '/bin/sh';
process.exitCode = await runTool((signal) =>
  runBedCommand(process.argv.slice(2), {
    deps: processBedDeps(),
    terminal: processTerminal(),
    signal,
    shell,
  }),
);
