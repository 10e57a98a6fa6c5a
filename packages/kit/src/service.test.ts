import { expect, it } from 'vitest';
import { raceAbort } from './scope.ts';
import { createServiceGroup, createServicesBeside, type Service } from './service.ts';
import { recordingLogger } from './testing.ts';

const never = new AbortController().signal;

function traced(name: string, trace: string[], fail: 'start' | 'stop' | 'nothing' = 'nothing'): Service {
  return {
    name,
    async start() {
      trace.push(`start ${name}`);
      if (fail === 'start') throw new Error(`${name} cannot start`);
    },
    async stop() {
      trace.push(`stop ${name}`);
      if (fail === 'stop') throw new Error(`${name} cannot stop`);
    },
  };
}

it('starts in order and stops in reverse, once', async () => {
  const trace: string[] = [];
  const services = ['a', 'b'].map((name) => traced(name, trace));
  const group = createServiceGroup({ name: 'g', services }, { log: recordingLogger() });
  await group.start(never);
  await group.stop();
  await group.stop();
  expect(trace).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

it('stops what started, and what half started, when one cannot start', async () => {
  const trace: string[] = [];
  const services = [traced('a', trace), traced('b', trace, 'start'), traced('c', trace)];
  const group = createServiceGroup({ name: 'g', services }, { log: recordingLogger() });
  await expect(group.start(never)).rejects.toThrow('b cannot start');
  expect(trace).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

it('stops the others when one cannot stop, and says which', async () => {
  const trace: string[] = [];
  const log = recordingLogger();
  const services = [traced('a', trace), traced('b', trace, 'stop')];
  const group = createServiceGroup({ name: 'g', services }, { log });
  await group.start(never);
  await expect(group.stop()).rejects.toMatchObject({ code: 'Internal' });
  expect(trace.slice(-2)).toEqual(['stop b', 'stop a']);
  expect(log.lines.find((line) => line.level === 'error')?.fields).toMatchObject({ service: 'b' });
});

it('gives up between two services when the start is aborted', async () => {
  const trace: string[] = [];
  const group = createServiceGroup({ name: 'g', services: [traced('a', trace)] }, { log: recordingLogger() });
  await expect(group.start(AbortSignal.abort('no'))).rejects.toBe('no');
  expect(trace).toEqual([]);
});

it('is stopped only when a failing start has stopped everything', async () => {
  const trace: string[] = [];
  const gate = Promise.withResolvers<void>();
  const slow: Service = {
    ...traced('a', trace),
    async stop() {
      await gate.promise;
      trace.push('stop a');
    },
  };
  const services = [slow, traced('b', trace, 'start')];
  const group = createServiceGroup({ name: 'g', services }, { log: recordingLogger() });
  const started = group.start(never).catch(() => trace.push('start failed'));
  await expect.poll(() => trace).toContain('stop b');
  const stopped = group.stop().then(() => trace.push('stopped'));
  gate.resolve();
  await Promise.all([started, stopped]);
  expect(trace.indexOf('stopped')).toBeGreaterThan(trace.indexOf('stop a'));
  expect(trace.filter((line) => line === 'stop a')).toHaveLength(1);
});

it('starts nothing more when it is stopped in the middle of its start', async () => {
  const trace: string[] = [];
  const gate = Promise.withResolvers<void>();
  const slow: Service = { ...traced('a', trace), start: () => gate.promise };
  const services = [slow, traced('b', trace)];
  const group = createServiceGroup({ name: 'g', services }, { log: recordingLogger() });
  const started = group.start(never);
  await group.stop();
  gate.resolve();
  await expect(started).rejects.toMatchObject({ code: 'Aborted' });
  expect(trace).toEqual(['stop a']);
});

const waiting = (trace: string[]): Service => ({
  name: 'waiting',
  start: (signal) => raceAbort(new Promise<never>(() => undefined), signal),
  async stop() {
    trace.push('stop waiting');
  },
});

it('starts services beside one that waits, and stops all of them', async () => {
  const trace: string[] = [];
  const services = [waiting(trace), traced('a', trace)];
  const beside = createServicesBeside({ name: 'b', services }, { log: recordingLogger() });
  const starting = beside.start(never);
  await expect.poll(() => trace).toEqual(['start a']);
  const [refused] = await Promise.allSettled([starting, beside.stop()]);
  expect(refused).toMatchObject({ reason: { code: 'Aborted' } });
  expect(trace.toSorted()).toEqual(['start a', 'stop a', 'stop waiting']);
  await expect(beside.start(never)).rejects.toMatchObject({ code: 'Aborted' });
});

it('ends those that wait when one beside them cannot start', async () => {
  const trace: string[] = [];
  const services = [waiting(trace), traced('a', trace, 'start')];
  const beside = createServicesBeside({ name: 'b', services }, { log: recordingLogger() });
  await expect(beside.start(never)).rejects.toThrow('a cannot start');
  expect(trace.toSorted()).toEqual(['start a', 'stop a', 'stop waiting']);
});
