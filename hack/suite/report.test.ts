import { describe, expect, it } from 'vitest';
import { type Report, parseReport, settle } from './report.ts';

const green: Report = {
  tally: { passed: 3, failed: 0, skipped: 0 },
  failures: [],
  files: [{ file: 'a.test.ts', durationMs: 12.5 }],
};
const red: Report = {
  tally: { passed: 1, failed: 1, skipped: 0 },
  failures: [{ where: 'a.test.ts:3 > adds', message: 'expected 1 to be 2' }],
  files: [],
};

describe('parseReport', () => {
  it.each([green, red])('reads what the reporter writes', (report) => {
    expect(parseReport(JSON.stringify(report))).toEqual(report);
  });

  it.each([
    '',
    '{',
    'null',
    JSON.stringify({ ...green, tally: { passed: 1 } }),
    JSON.stringify({ ...green, tally: { passed: 1, failed: -0.5, skipped: 0 } }),
    JSON.stringify({ ...green, failures: [{ where: 'a' }] }),
    JSON.stringify({ ...green, files: undefined }),
  ])('refuses %j', (text) => {
    expect(parseReport(text)).toBeUndefined();
  });
});

describe('settle', () => {
  it('takes a report as it is', () => {
    expect(settle(green, 0)).toEqual(green);
    expect(settle(red, 1)).toEqual(red);
  });

  it('counts a process that left no report as a failure', () => {
    const { tally, failures } = settle(undefined, 134);
    expect(tally).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(failures).toEqual([{ where: 'vitest', message: 'ended without a report, with exit code 134' }]);
  });

  it('counts a process that fails after its tests as a failure', () => {
    const { tally, failures, files } = settle(green, 1);
    expect(tally).toEqual({ passed: 3, failed: 1, skipped: 0 });
    expect(failures).toHaveLength(1);
    expect(files).toEqual(green.files);
  });
});
