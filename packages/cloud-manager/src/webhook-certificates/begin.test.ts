import { SelvedgeError } from '@selvedge/kit';
import { type RecordedLine, recordingLogger } from '@selvedge/kit/testing';
import { expect, test } from 'vitest';
import { begin } from './begin.ts';
import type { Standing } from './issued.ts';

const nothing: Standing = { newest: undefined, serving: undefined };
const served: Standing = {
  newest: { notAfter: 1, hasKey: true },
  serving: { notAfter: 1, isNamed: true, isOfNewest: true },
};

function world(answers: readonly (Error | undefined)[]) {
  const lines: RecordedLine[] = [];
  const waits: number[] = [];
  const steps: string[] = [];
  const left = [...answers];
  let standing = nothing;
  const stop = new AbortController();
  const parts = {
    shared: {
      look: () => ({ secret: undefined, issued: undefined, standing, now: 0 }),
      async write() {
        const answer = left.shift();
        if (answer !== undefined) throw answer;
        standing = served;
      },
    },
    done: (step: string) => void steps.push(step),
    wait: async (ms: number) => void waits.push(ms),
    backoff: { nextDelayMs: () => 7, up: () => undefined },
    log: recordingLogger(lines),
  };
  return { lines, waits, steps, stop, begin: () => begin(parts, stop.signal) };
}

test('a certificate that cannot be made is tried again, and said', async () => {
  const forbidden = new SelvedgeError('no right', { code: 'Forbidden' });
  const away = new SelvedgeError('no answer', { code: 'Unavailable' });
  const { lines, waits, steps, begin: run } = world([forbidden, away]);
  await run();
  expect(steps).toEqual(['begin']);
  expect(waits).toEqual([7, 7]);
  expect(lines.map(({ level, text }) => `${level} ${text}`)).toEqual(
    Array.from({ length: 2 }, () => 'error webhook certificate not made'),
  );
});

test('whoever is slower than another server waits for what that wrote, and says nothing', async () => {
  const { lines, waits, begin: run } = world([new SelvedgeError('there', { code: 'AlreadyExists' })]);
  await run();
  expect(waits).toEqual([1_000]);
  expect(lines).toEqual([]);
});

test('a stop is no error', async () => {
  const { lines, stop, begin: run } = world([new Error('stopped')]);
  stop.abort(new Error('stopped'));
  await expect(run()).rejects.toThrow('stopped');
  expect(lines).toEqual([]);
});
