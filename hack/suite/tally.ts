/** How many tests of a run passed, failed and were skipped. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** One line of the summary. */
export interface SuiteResult {
  readonly suite: string;
  readonly tally: Tally;
  readonly durationMs: number;
}

export const nothing: Tally = { passed: 0, failed: 0, skipped: 0 };

/** What a suite counts for that fell over, was interrupted or could not be started. */
export const crashed: Tally = { passed: 0, failed: 1, skipped: 0 };

export function add(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value);

/** Reads what the reporter wrote; undefined if that is no tally. */
export function parseTally(text: string): Tally | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { passed, failed, skipped } = value as Record<string, unknown>;
    return isCount(passed) && isCount(failed) && isCount(skipped) ? { passed, failed, skipped } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The tally that a test process leaves behind. A process that wrote none crashed; one that failed although every test
 * passed (in a global teardown for instance) counts as one failure more.
 */
export function settle(written: Tally | undefined, exitCode: number): Tally {
  if (written === undefined) return crashed;
  return exitCode !== 0 && written.failed === 0 ? add(written, crashed) : written;
}

function row([name = '', ...numbers]: readonly string[]): string {
  return name.padEnd(16) + numbers.map((number) => number.padStart(9)).join('');
}

/** The table of all suites, and as the last line the sum: `12 passed, 0 failed`. */
export function summary(results: readonly SuiteResult[]): string {
  const head = ['suite', 'passed', 'failed', 'skipped', 'seconds'];
  const rows = results.map(({ suite, tally, durationMs }) => [
    suite,
    String(tally.passed),
    String(tally.failed),
    String(tally.skipped),
    (durationMs / 1_000).toFixed(1),
  ]);
  const total = results.reduce((sum, { tally }) => add(sum, tally), nothing);
  return [...[head, ...rows].map(row), `${total.passed} passed, ${total.failed} failed`].join('\n');
}
