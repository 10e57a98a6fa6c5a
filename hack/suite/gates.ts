import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Progress, runUnchecked } from '../setup/index.ts';
import { type Tally, add, crashed, nothing } from './tally.ts';

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

/** Runs one script of the workspace as a gate; its words are shown only when it fails. */
export async function runGate(
  script: readonly string[],
  options: GateOptions,
  progress: Progress,
): Promise<Tally> {
  const { repository, signal } = options;
  const { exitCode, stdout, stderr } = await runUnchecked({
    argv: [join(repository, 'hack/pnpm'), 'run', '--silent', ...script],
    cwd: repository,
    signal,
  });
  progress.note(`${exitCode === 0 ? '✓' : '✗'} pnpm ${script.join(' ')}`);
  if (exitCode === 0) return { ...nothing, passed: 1 };
  progress.note(`${stdout}${stderr}`.trimEnd());
  return crashed;
}

/** Runs every static gate, also after one has failed. */
export async function runGates(options: GateOptions, progress: Progress): Promise<Tally> {
  let tally = nothing;
  for (const name of gateNames(await readFile(join(options.repository, 'package.json'), 'utf8'))) {
    tally = add(tally, await runGate([name], options, progress));
  }
  return tally;
}
