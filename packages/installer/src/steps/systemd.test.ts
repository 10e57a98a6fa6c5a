import { SelvedgeError } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import type { Host, HostResult } from '../host/index.ts';
import type { ExecutorDeps } from './executor.ts';
import { startAnew, unitStatus } from './systemd.ts';
import { hastyClock } from './testing-clock.ts';
import { restartExecutor } from './unit-steps.ts';

const { signal } = new AbortController();
const answer = (text: string): HostResult => ({
  exitCode: 0,
  stdout: Buffer.from(text),
  stderr: Buffer.alloc(0),
});
const status = (invocation: string, active: string, restarts = 0, result = 'success'): string =>
  `InvocationID=${invocation}\nActiveState=${active}\nResult=${result}\nNRestarts=${restarts}\n`;

/** A machine whose unit is seen so, one look after the other; `undefined`: the machine is out of reach. The last one stays. */
function seen(...looks: readonly (string | undefined)[]) {
  const clock = hastyClock();
  const asked: string[] = [];
  let at = 0;
  const host: Host = {
    name: 'shop-1',
    async run({ argv }) {
      const command = argv.filter((word) => !word.startsWith('-')).join(' ');
      if (argv[0] === 'journalctl') return answer('bad flag --foo\n');
      if (argv[1] !== 'show') {
        asked.push(command);
        return answer('');
      }
      const look = looks[Math.min(at, looks.length - 1)];
      at += 1;
      if (look === undefined) throw new SelvedgeError('the machine is lost', { code: 'Unavailable' });
      return answer(look);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const start = (old = 'a'): Promise<void> =>
    startAnew({ host, clock }, { name: 'kubelet.service', old }, signal);
  return { host, start, asked };
}

const restart = 'systemctl restart kubelet.service';

describe('a unit that is started anew', () => {
  it('is another run of it that is active', async () => {
    const { start, asked } = seen(
      status('a', 'active'),
      status('a', 'deactivating'),
      status('b', 'activating'),
      status('b', 'active'),
    );
    await start();
    expect(asked).toEqual([restart]);
  });

  it('is not started again by whom comes after it was', async () => {
    const { start, asked } = seen(status('b', 'active'));
    await start();
    expect(asked).toEqual([]);
  });

  it('may take the way to the machine with it for a while', async () => {
    const { start } = seen(status('a', 'active'), undefined, undefined, status('b', 'active'));
    await start();
  });

  it.each([
    ['fails', [status('a', 'active'), status('b', 'failed', 0, 'exit-code')], 'failed to start (exit-code)'],
    [
      'fails again and again',
      [status('a', 'active'), status('b', 'activating', 1), status('d', 'activating', 3, 'exit-code')],
      'failed to start (exit-code)',
    ],
    [
      'fails as it did before',
      [status('a', 'activating', 7), status('b', 'activating', 0), status('d', 'activating', 3, 'exit-code')],
      'failed to start (exit-code)',
    ],
    ['is never ready', [status('a', 'active'), status('b', 'activating')], 'is still activating after 120 s'],
  ])('that %s is told, with what it said last', async (_what, looks, why) => {
    await expect(seen(...looks).start()).rejects.toMatchObject({
      code: 'Unavailable',
      message: `kubelet.service on shop-1 ${why}; last log lines: bad flag --foo`,
      hint: expect.stringContaining('journalctl -u kubelet.service'),
    });
  });

  it('is given up if the machine does not come back', async () => {
    await expect(seen(status('a', 'active'), undefined).start()).rejects.toThrow('the machine is lost');
  });
});

it('a unit that systemd does not know has no run', async () => {
  const { host } = seen('InvocationID=\nActiveState=inactive\nResult=success\nNRestarts=0\n');
  expect(await unitStatus(host, 'none.service', signal)).toEqual({
    invocation: '',
    active: 'inactive',
    result: 'success',
    restarts: 0,
  });
});

/** A machine whose systemd answers nobody. */
const mute: Host = {
  name: 'shop-1',
  run: async () => ({ exitCode: 1, stdout: Buffer.alloc(0), stderr: Buffer.from('no bus') }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

it('a unit of which systemd says nothing is not taken for one without a run', async () => {
  const silence = { code: 'Unavailable', message: 'systemctl show kubelet.service on shop-1: no bus' };
  await expect(unitStatus(mute, 'kubelet.service', signal)).rejects.toMatchObject(silence);
  const deps = { host: mute, clock: hastyClock() } as ExecutorDeps;
  const step = { kind: 'restart', name: 'kubelet.service', on: 'apply' } as const;
  await expect(restartExecutor(deps).look(step, signal)).rejects.toMatchObject(silence);
});
