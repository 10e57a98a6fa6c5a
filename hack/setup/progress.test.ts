import { createManualClock } from '@selvedge/kit/testing';
import { expect, it } from 'vitest';
import { createProgress, duration } from './progress.ts';

it('tells when a step starts, goes on and is done', async () => {
  const lines: string[] = [];
  const clock = createManualClock();
  const progress = createProgress({}, { clock, write: (line) => lines.push(line) });
  const work = Promise.withResolvers<number>();
  const step = progress.step({ title: 'build kubelet', estimateMs: 330_000 }, () => work.promise);
  await clock.advance(20_000);
  await clock.advance(20_000);
  await clock.advance(54_000);
  work.resolve(7);
  expect(await step).toBe(7);
  expect(lines).toEqual([
    '→ build kubelet, about 5 min 30 s',
    '… build kubelet: 20 s of about 5 min 30 s',
    '… build kubelet: 40 s of about 5 min 30 s',
    '… build kubelet: 60 s of about 5 min 30 s',
    '… build kubelet: 80 s of about 5 min 30 s',
    '✓ build kubelet (1 min 34 s)',
  ]);
});

it('tells when a step failed and lets the error rise', async () => {
  const lines: string[] = [];
  const progress = createProgress({}, { clock: createManualClock(), write: (line) => lines.push(line) });
  const step = progress.step({ title: 'install' }, () => Promise.reject(new Error('no network')));
  await expect(step).rejects.toThrow('no network');
  expect(lines).toEqual(['→ install', '✗ install (0 s)']);
});

it.each([
  [400, '0 s'],
  [45_000, '45 s'],
  [89_000, '89 s'],
  [90_000, '1 min 30 s'],
  [300_000, '5 min'],
  [754_000, '12 min'],
])('says %i ms as %s', (ms, said) => {
  expect(duration(ms)).toBe(said);
});
