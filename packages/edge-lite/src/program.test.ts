import { type ErrorCode, SelvedgeError, type Service, silentLogger, tunedCommand } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { describe, expect, test } from 'vitest';
import { parseCommand, usage } from './arguments.ts';
import { type Origin, exitCodeOf, originating, refusals } from './exit-code.ts';
import { createFarewell } from './farewell.ts';
import { createReadiness } from './readiness.ts';
import { type Shutdown, createSystemd } from './systemd.ts';
import { tuning } from './tuning.ts';
import { createWatchdog } from './watchdog.ts';

describe('the command line', () => {
  test.each([
    [['run', '--config', 'a.yaml'], { kind: 'run', config: 'a.yaml' }],
    [['run', '--config=a.yaml'], { kind: 'run', config: 'a.yaml' }],
    [['--version'], { kind: 'version' }],
    [['--help'], { kind: 'help' }],
    [['run', '-h'], { kind: 'help' }],
  ])('%j is understood', (args, command) => {
    expect(parseCommand(args)).toEqual(command);
  });

  test.each([
    [[]],
    [['run']],
    [['walk', '--config', 'x']],
    [['run', '--colour']],
    [['run', 'run', '--config', 'x']],
  ])('%j is refused with a hint', (args) => {
    expect(() => parseCommand(args)).toThrow(
      expect.objectContaining({ code: 'Invalid', hint: 'edge-lite --help' }),
    );
  });
});

describe('the exit code', () => {
  const errorOf = (code: ErrorCode): SelvedgeError => new SelvedgeError('x', { code, hint: 'y' });
  const exitOf = async (origin: Origin, error: unknown, codes?: readonly ErrorCode[]): Promise<number> =>
    exitCodeOf(await originating(origin, () => Promise.reject(error), codes).catch((marked) => marked));

  test('says where the error arose, whatever its code', async () => {
    expect(await exitOf('config', errorOf('Invalid'))).toBe(2);
    expect(await exitOf('identity', errorOf('Invalid'), refusals)).toBe(3);
    expect(await exitOf('store', errorOf('Corrupt'))).toBe(4);
    expect(await exitOf('store', new TypeError('bug'))).toBe(4);
  });

  test.each(['Unauthenticated', 'Forbidden', 'AlreadyExists'] as const)('is 3 for %s', async (code) => {
    expect(await exitOf('identity', errorOf(code), refusals)).toBe(3);
  });

  test.each(['Invalid', 'Unauthenticated', 'Forbidden', 'AlreadyExists', 'Corrupt'] as const)(
    'is 1 for %s from elsewhere',
    (code) => {
      expect(exitCodeOf(errorOf(code))).toBe(1);
    },
  );

  test('is 1 when a join fails by what may go over', async () => {
    expect(await exitOf('identity', errorOf('Corrupt'), refusals)).toBe(1);
    expect(await exitOf('identity', errorOf('Unavailable'), refusals)).toBe(1);
    expect([exitCodeOf(new TypeError('bug')), exitCodeOf('text')]).toEqual([1, 1]);
  });

  test('is documented', () => {
    for (const code of [0, 1, 2, 3, 4]) expect(usage).toContain(`\n  ${code}  `);
  });

  test('changes nothing else of the error', async () => {
    const cause = errorOf('Corrupt');
    const marked = { code: 'Corrupt', message: 'x', hint: 'y', cause };
    await expect(originating('store', () => Promise.reject(cause))).rejects.toMatchObject(marked);
    expect(await originating('store', () => 7)).toBe(7);
  });
});

describe('memory settings', () => {
  const invocation = { env: { PATH: '/bin' }, execArgv: ['--flag'], argv: ['node', 'main.cjs', 'run'] };

  test('are added once, before the program and beside what was given', () => {
    const command = tunedCommand(tuning, invocation);
    expect(command?.args.at(0)).toBe('--flag');
    expect(command?.args.slice(-2)).toEqual(['main.cjs', 'run']);
    expect(command?.args).toContain('--max-old-space-size=64');
    expect(command?.env).toMatchObject({ PATH: '/bin', MALLOC_ARENA_MAX: '1', SELVEDGE_TUNED: '1' });
    expect(tunedCommand(tuning, { ...invocation, env: command?.env ?? {} })).toBeUndefined();
  });
});

describe('systemd', () => {
  test('that is not there is not missed', async () => {
    const systemd = createSystemd({ env: { NOTIFY_SOCKET: '/nonexistent/socket' }, pid: 7 });
    await systemd.notify('READY=1');
    expect(await createSystemd({ env: {}, pid: 7 }).shutdown()).toBe('restart');
  });

  test.each([
    ['nobody', {}, undefined],
    ['this process', { WATCHDOG_USEC: '120000000', WATCHDOG_PID: '7' }, 120_000],
    ['all of the unit', { WATCHDOG_USEC: '120000000' }, 120_000],
    ['another process', { WATCHDOG_USEC: '120000000', WATCHDOG_PID: '8' }, undefined],
    ['nobody, in words', { WATCHDOG_USEC: 'never' }, undefined],
  ])('watches %s', (_who, env, watchdogMs) => {
    expect(createSystemd({ env, pid: 7 }).watchdogMs).toBe(watchdogMs);
  });
});

describe('readiness', () => {
  test('is told once the node knows its pods, not before, and not at all if it stops first', async () => {
    const told: string[] = [];
    const systemd = {
      notify: async (state: string) => {
        told.push(state);
      },
    };
    const synced = Promise.withResolvers<void>();
    const log = recordingLogger();
    const readiness = createReadiness({ systemd, log, synced: () => synced.promise });
    await readiness.start(new AbortController().signal);
    expect(told).toEqual([]);
    synced.resolve();
    await readiness.stop();
    expect(told).toEqual(['READY=1']);
    expect(log.lines.map(({ text }) => text)).toEqual(['synced']);
  });
});

describe('the watchdog', () => {
  const watch = (
    watchdogMs: number | undefined,
  ): { told: string[]; clock: ManualClock; service: Service } => {
    const told: string[] = [];
    const clock = createManualClock();
    const notify = async (state: string): Promise<void> => {
      told.push(state);
    };
    const service = createWatchdog({ systemd: { watchdogMs, notify }, clock, log: silentLogger });
    return { told, clock, service };
  };

  test('is told twice in its period, until the end', async () => {
    const { told, clock, service } = watch(120_000);
    await service.start(new AbortController().signal);
    for (const count of [1, 2, 3]) {
      await clock.asleep();
      expect(told).toEqual(Array(count).fill('WATCHDOG=1'));
      await clock.advance(60_000);
    }
    await service.stop();
    expect(clock.sleepers).toBe(0);
  });

  test('is told nothing where there is none', async () => {
    const { told, service } = watch(undefined);
    await service.start(new AbortController().signal);
    await service.stop();
    expect(told).toEqual([]);
  });
});

describe('the farewell', () => {
  const run = async (
    kind: Shutdown,
    steps: readonly ((signal: AbortSignal) => Promise<void>)[],
  ): Promise<string[]> => {
    const told: string[] = [];
    const farewell = createFarewell(
      { machineTimeoutMs: 1_000 },
      {
        systemd: {
          notify: async (state) => {
            told.push(state);
          },
          shutdown: async () => kind,
        },
        clock: createManualClock(),
        log: silentLogger,
        onMachineShutdown: steps,
      },
    );
    await farewell.start(new AbortController().signal);
    await farewell.stop();
    return told;
  };

  test('of a restart does nothing', async () => {
    const steps = [() => Promise.reject(new Error('never'))];
    expect(await run('restart', steps)).toEqual(['STOPPING=1']);
  });

  test('of a machine tells the cluster and ends the pods, one whether or not the other fails', async () => {
    const told = Promise.withResolvers<void>();
    let ended = false;
    await run('machine', [
      async () => {
        await told.promise;
        throw new Error('cut off');
      },
      async () => {
        ended = true;
        told.resolve();
      },
    ]);
    expect(ended).toBe(true);
  });
});
