import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type Progress, runUnchecked } from '../setup/index.ts';
import { type Report, crash, emptyReport, join as joinReports } from './report.ts';

export interface GateOptions {
  /** The root of the checkout. */
  readonly repository: string;
  readonly signal?: AbortSignal | undefined;
}

/** The names of the `check:…` scripts of a package.json. */
export function gateNames(packageJson: string): readonly string[] {
  const { scripts } = JSON.parse(packageJson) as { scripts: Record<string, string> };
  return Object.keys(scripts).filter((name) => name.startsWith('check:'));
}

/** How much of what a gate says is told again in the summary: the end of it, in lines. */
const lastLines = 12;

/** Runs one script of the workspace as a gate; its words are shown only when it fails. */
export async function runGate(
  script: readonly string[],
  options: GateOptions,
  progress: Progress,
): Promise<Report> {
  const { repository, signal } = options;
  const { exitCode, stdout, stderr } = await runUnchecked({
    argv: [join(repository, 'hack/pnpm'), 'run', '--silent', ...script],
    cwd: repository,
    signal,
  });
  progress.note(`${exitCode === 0 ? '✓' : '✗'} pnpm ${script.join(' ')}`);
  if (exitCode === 0) return { ...emptyReport, tally: { ...emptyReport.tally, passed: 1 } };
  const said = stripVTControlCharacters(`${stdout}${stderr}`).trimEnd();
  progress.note(said);
  return crash(`pnpm ${script.join(' ')}`, said.split('\n').slice(-lastLines).join('\n'));
}

/** Runs every static gate, also after one has failed. */
export async function runGates(options: GateOptions, progress: Progress): Promise<Report> {
  let report = emptyReport;
  for (const name of gateNames(await readFile(join(options.repository, 'package.json'), 'utf8'))) {
    report = joinReports(report, await runGate([name], options, progress));
  }
  return report;
}
