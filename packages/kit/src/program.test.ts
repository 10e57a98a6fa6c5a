import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { runProgram, type ProgramHost } from './program.ts';
import type { Service } from './service.ts';
import { createManualClock, recordingLogger } from './testing.ts';

class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

class FakeHost extends EventEmitter implements ProgramHost {
  exit(code: number): never {
    throw new Exit(code);
  }
}

function fixture(service: Partial<Service> = {}) {
  const host = new FakeHost();
  const clock = createManualClock();
  const fatal = Promise.withResolvers<never>();
  const log = recordingLogger();
  const whole: Service = { name: 's', start: async () => undefined, stop: async () => undefined, ...service };
  const options = { service: whole, drainTimeoutMs: 1000, fatal: fatal.promise, exitCode: () => 3 };
  return { host, clock, log, fail: fatal.reject, run: () => runProgram(options, { host, clock, log }) };
}

it('drains on the first signal and takes its listeners away', async () => {
  let stops = 0;
  const { host, run } = fixture({
    stop: async () => {
      stops += 1;
    },
  });
  const code = run();
  host.emit('SIGTERM', 'SIGTERM');
  expect([await code, stops, host.listenerCount('SIGTERM')]).toEqual([0, 1, 0]);
});

it('exits at once on the second signal', async () => {
  const { host, clock, run } = fixture({ stop: () => new Promise(() => undefined) });
  const code = run();
  host.emit('SIGINT', 'SIGINT');
  expect(() => host.emit('SIGINT', 'SIGINT')).toThrow('exit 1');
  await clock.asleep();
  await clock.advance(1000);
  expect(await code).toBe(1);
});

it('stops and answers the mapped code when the start fails', async () => {
  const { run, log } = fixture({
    start: async () => {
      throw new Error('port in use');
    },
  });
  expect(await run()).toBe(3);
  expect(log.lines[0]).toMatchObject({ level: 'error', text: 'program failed' });
});

it('stops when the running program reports that it cannot go on', async () => {
  const { run, fail } = fixture();
  const code = run();
  fail(new Error('state unusable'));
  expect(await code).toBe(3);
});

it('logs an uncaught exception and exits', async () => {
  const { host, run, log } = fixture();
  const code = run();
  expect(() => host.emit('uncaughtException', new Error('bug'))).toThrow('exit 3');
  expect(log.lines.map((line) => line.text)).toContain('uncaught exception');
  host.emit('SIGTERM', 'SIGTERM');
  await code;
});
