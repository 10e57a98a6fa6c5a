import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runUnchecked } from '../setup/index.ts';
import type { Project } from './plan.ts';
import { type Report, parseReport, settle } from './report.ts';

export interface VitestOptions {
  /** The root of the checkout. */
  readonly repository: string;
  /** The Node executable. */
  readonly node: string;
  readonly project: Project;
  readonly filters: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Runs one vitest project, its output on ours, and reports. */
export async function runVitest(options: VitestOptions): Promise<Report> {
  const { repository, node, project, filters, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-report-'));
  const file = join(folder, 'report.json');
  try {
    const program = join(repository, 'node_modules/vitest/vitest.mjs');
    // There need not be a test that takes long.
    const passEmpty = project === 'long' && filters.length === 0 ? ['--passWithNoTests'] : [];
    const reporters = ['--reporter=default', '--reporter=./hack/suite-reporter.ts'];
    const { exitCode } = await runUnchecked({
      argv: [node, program, 'run', '--project', project, ...passEmpty, ...reporters, ...filters],
      cwd: repository,
      env: { SELVEDGE_REPORT: file },
      stdout: 'inherit',
      stderr: 'inherit',
      // What a suite has made outside of its processes, a bed for instance, goes down with it.
      graceMs: 90_000,
      signal,
    });
    return settle(parseReport(await readFile(file, 'utf8').catch(() => '')), exitCode);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
