import { createManualClock } from '@selvedge/kit/testing';
import { expect, it } from 'vitest';
import { gateNames } from './gates.ts';
import { createRecorder } from './run-suites.ts';
import { crash, emptyReport } from './report.ts';

it('goes on after a suite that threw, and counts it as one failure', async () => {
  const clock = createManualClock();
  const said: string[] = [];
  const recorder = createRecorder({ clock, say: (text) => said.push(text) });
  await recorder.record('broken', () => Promise.reject(new Error('no such node')));
  const good = { ...emptyReport, tally: { passed: 4, failed: 0, skipped: 0 } };
  await recorder.record('good', async () => {
    await clock.advance(1_500);
    return good;
  });
  expect(recorder.results).toEqual([
    { suite: 'broken', report: crash('broken', 'no such node'), durationMs: 0 },
    { suite: 'good', report: good, durationMs: 1_500 },
  ]);
  expect(said).toEqual(['✗ broken: no such node']);
});

it('takes every check script as a gate', () => {
  const scripts = { check: 'all', 'check:types': 'tsc -b', 'check:lint': 'oxlint', test: 'vitest' };
  expect(gateNames(JSON.stringify({ scripts }))).toEqual(['check:types', 'check:lint']);
});
