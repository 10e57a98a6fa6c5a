import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { Command, Option } from 'commander';
import { processSetup, runTool } from '../setup/index.ts';
import { runSuites } from './run-suites.ts';
import { crash } from './report.ts';
import { type SuiteResult, summary } from './summary.ts';

interface Flags {
  readonly unit?: boolean;
  readonly long?: boolean;
  readonly node?: string;
}

const repository = join(import.meta.dirname, '../..');

const command = new Command('hack/test')
  .description('Sets this machine up and runs all gates and tests. The last line is `N passed, N failed`.')
  .argument('[filters...]', 'paths, or parts of paths, of test files; without gates')
  .option('--unit', 'gates and unit tests only: needs neither root nor setup')
  .option('--long', 'also the tests that take many minutes')
  .addOption(new Option('--node <major>', 'run the unit tests on another Node').choices(['26']))
  .parse();

const { unit = false, long = false, node } = command.opts<Flags>();

/** What stands in the summary when not even the first suite could start. */
const results: SuiteResult[] = [];

const exitCode = await runTool(async (signal) => {
  const options = { unit, long, filters: command.args, ...(node === undefined ? {} : { node }) };
  const paths = { repository, nodeExecutable: process.execPath };
  const deps = { setup: processSetup(), clock: systemClock };
  results.push(...(await runSuites({ ...options, ...paths, signal }, deps)));
  signal.throwIfAborted();
  return results.some(({ report }) => report.tally.failed > 0) ? 1 : 0;
});

if (results.length === 0) {
  results.push({ suite: 'setup', report: crash('setup', 'see what it said above'), durationMs: 0 });
}
process.stdout.write(`\n${summary(results)}\n`);
process.exitCode = exitCode;
