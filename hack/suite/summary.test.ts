import { describe, expect, it } from 'vitest';
import { type Report, crash, emptyReport } from './report.ts';
import { summary } from './summary.ts';

const green = (passed: number): Report => ({ ...emptyReport, tally: { passed, failed: 0, skipped: 0 } });

function failing(count: number, message: string): Report {
  const failures = Array.from({ length: count }, (_, i) => ({ where: `a.test.ts > ${i}`, message }));
  return { tally: { passed: 7, failed: count, skipped: 1 }, failures, files: [] };
}

describe('summary', () => {
  it('ends with the sum of all suites', () => {
    const text = summary([
      { suite: 'gates', report: green(5), durationMs: 12_345 },
      { suite: 'unit', report: green(7), durationMs: 60_000 },
    ]);
    expect(text.split('\n')).toEqual([
      'suite              passed   failed  skipped  seconds',
      'gates                   5        0        0     12.3',
      'unit                    7        0        0     60.0',
      '12 passed, 0 failed',
    ]);
  });

  it('tells of each failure right before its last line', () => {
    const text = summary([
      { suite: 'gates', report: crash('pnpm check:lint', 'a.ts:1 no-eval\nfound 1 error'), durationMs: 0 },
      { suite: 'e2e', report: failing(1, 'expected 1 to be 2\n\n+ 1\n'), durationMs: 0 },
    ]);
    expect(text.split('\n').slice(3)).toEqual([
      '',
      '✗ gates  pnpm check:lint',
      '    a.ts:1 no-eval',
      '    found 1 error',
      '✗ e2e  a.test.ts > 0',
      '    expected 1 to be 2',
      '',
      '    + 1',
      '',
      '7 passed, 2 failed',
    ]);
  });

  it('shows no more than 20 failures, of each no more than 12 lines', () => {
    const message = Array.from({ length: 13 }, (_, i) => `line ${i + 1}`).join('\n');
    const lines = summary([{ suite: 'unit', report: failing(23, message), durationMs: 0 }]).split('\n');
    expect(lines.filter((line) => line.startsWith('✗'))).toHaveLength(20);
    expect(lines.slice(3, 16)).toEqual([
      '✗ unit  a.test.ts > 0',
      ...Array.from({ length: 11 }, (_, i) => `    line ${i + 1}`),
      '    …',
    ]);
    expect(lines.slice(-3)).toEqual(['… and 3 more', '', '7 passed, 23 failed']);
  });

  it('begins with the five slowest files of each suite', () => {
    const files = [3, 1, 6, 2, 5, 4].map((n) => ({ file: `${n}.test.ts`, durationMs: n * 1_000 }));
    const text = summary([
      { suite: 'gates', report: green(5), durationMs: 0 },
      { suite: 'e2e', report: { ...green(6), files }, durationMs: 0 },
    ]);
    expect(text.split('\n').slice(0, 8)).toEqual([
      'slowest files     seconds',
      'e2e                   6.0  6.test.ts',
      'e2e                   5.0  5.test.ts',
      'e2e                   4.0  4.test.ts',
      'e2e                   3.0  3.test.ts',
      'e2e                   2.0  2.test.ts',
      '',
      'suite              passed   failed  skipped  seconds',
    ]);
  });
});
