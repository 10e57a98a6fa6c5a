import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import { type Tally, add, nothing } from './suite/tally.ts';

/** The part of a test module that is counted. */
export interface CountedModule {
  readonly children: {
    allTests(): Iterable<{ result(): { readonly state: 'passed' | 'failed' | 'skipped' | 'pending' } }>;
    allSuites(): Iterable<{ errors(): readonly unknown[] }>;
  };
  errors(): readonly unknown[];
}

/** Tests by their state; a test that never ran to its end failed. */
function countTests(module: CountedModule): Tally {
  let tally = nothing;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    const key = state === 'pending' ? 'failed' : state;
    tally = { ...tally, [key]: tally[key] + 1 };
  }
  return tally;
}

/** Beside its tests a file can fail as it is loaded, and in the hooks of its suites. */
function countModule(module: CountedModule): Tally {
  const hooks = [...module.children.allSuites()].filter((suite) => suite.errors().length > 0).length;
  const loading = module.errors().length > 0 ? 1 : 0;
  return add(countTests(module), { ...nothing, failed: hooks + loading });
}

/** Counts a whole run. Errors that belong to no test count as one failure. */
export function countRun(modules: readonly CountedModule[], unhandledErrors: readonly unknown[]): Tally {
  const loose = { ...nothing, failed: unhandledErrors.length > 0 ? 1 : 0 };
  return modules.map(countModule).reduce(add, loose);
}

/**
 * A vitest reporter that writes a `Tally` as JSON to the file named by `SELVEDGE_TALLY` when the run ends. No file means
 * that vitest crashed.
 */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env['SELVEDGE_TALLY'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(countRun(modules, unhandledErrors)));
  }
}
