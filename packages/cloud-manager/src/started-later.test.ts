import { type Service, createServiceGroup, raceAbort } from '@selvedge/kit';
import { recordingLogger } from '@selvedge/kit/testing';
import { expect, test } from 'vitest';
import { startedLater } from './started-later.ts';

const { signal } = new AbortController();

function world(start: (signal: AbortSignal) => Promise<void> = async () => undefined) {
  const trace: string[] = [];
  const one = (name: string): Service => ({
    name,
    async start(stopped) {
      trace.push(`start ${name}`);
      if (name === 'slow') await start(stopped);
    },
    async stop() {
      trace.push(`stop ${name}`);
    },
  });
  const slow = startedLater(one('slow'));
  const services = [one('first'), slow.place, one('between'), slow.start];
  return { trace, group: createServiceGroup({ name: 'all', services }, { log: recordingLogger() }) };
}

test('a service that is started later is stopped at its place', async () => {
  const { trace, group } = world();
  await group.start(signal);
  await group.stop();
  expect(trace).toEqual([
    'start first',
    'start between',
    'start slow',
    'stop between',
    'stop slow',
    'stop first',
  ]);
});

test('one whose start never ends holds up none of those between, and ends with them', async () => {
  const reached = Promise.withResolvers<void>();
  const { trace, group } = world((stopped) => {
    reached.resolve();
    return raceAbort(new Promise<void>(() => undefined), stopped);
  });
  const end = new AbortController();
  const started = group.start(end.signal);
  await reached.promise;
  expect(trace).toEqual(['start first', 'start between', 'start slow']);
  end.abort(new Error('stopped'));
  await expect(started).rejects.toThrow('stopped');
  expect(trace.slice(3)).toEqual(['stop between', 'stop slow', 'stop first']);
});
