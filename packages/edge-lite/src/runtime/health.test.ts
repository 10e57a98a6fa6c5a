import { RuntimeCondition, StatusResponse, VersionResponse, message } from '@selvedge/containerd-grpc-types';
import { SelvedgeError } from '@selvedge/kit';
import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';

import type { Cri } from './cri.ts';
import { type RuntimeHealth, createHealthMonitor } from './health.ts';

const version = message(VersionResponse, { runtimeName: 'containerd', runtimeVersion: '2.4.2' });

function conditions(network: boolean): StatusResponse {
  const of = (type: string, status: boolean) => message(RuntimeCondition, { type, status, reason: 'why' });
  return message(StatusResponse, {
    status: { conditions: [of('RuntimeReady', true), of('NetworkReady', network)] },
  });
}

/** A runtime whose answers are given one after the other; the last one goes on. */
function world(answers: readonly (StatusResponse | Error)[]) {
  const clock = createManualClock();
  const seen: RuntimeHealth[] = [];
  let asked = 0;
  const status = async (): Promise<StatusResponse> => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no answer given');
    return answer;
  };
  const cri = { runtime: { version: async () => version, status } } as unknown as Cri;
  const monitor = createHealthMonitor(
    { intervalMs: 5000, retryMs: 500 },
    { cri, clock, random: () => 0.5, log: recordingLogger(), onChange: (health) => void seen.push(health) },
  );
  return { clock, monitor, seen, asked: () => asked };
}

describe('the condition of the runtime', () => {
  const gone = new SelvedgeError('no such socket', { code: 'Unavailable' });

  it('is told when it changes, and only then', async () => {
    const { clock, monitor, seen } = world([conditions(true), conditions(true), conditions(false)]);
    const stop = new AbortController();
    const running = monitor.run(stop.signal).catch(() => undefined);
    await clock.advance(12_000);
    stop.abort();
    await running;
    expect(seen).toEqual([
      {
        kind: 'up',
        version: { name: 'containerd', version: '2.4.2' },
        runtime: { ready: true, reason: 'why', message: '' },
        network: { ready: true, reason: 'why', message: '' },
      },
      expect.objectContaining({ network: { ready: false, reason: 'why', message: '' } }),
    ]);
  });

  it('is asked for more often while nobody answers, and tells since when', async () => {
    const { clock, monitor, seen, asked } = world([gone, gone, gone, conditions(true)]);
    const stop = new AbortController();
    const running = monitor.run(stop.signal).catch(() => undefined);
    await clock.advance(1600);
    stop.abort();
    await running;
    expect(asked()).toBe(4);
    expect(seen.map(({ kind }) => kind)).toEqual(['down', 'up']);
    expect(seen[0]).toMatchObject({ sinceMs: clock.now() - 1600, error: 'no such socket' });
  });

  it('is not ready in what the runtime does not tell of', async () => {
    const { monitor } = world([message(StatusResponse, { status: { conditions: [] } })]);
    const health = await monitor.check(new AbortController().signal);
    expect(health).toMatchObject({ network: { ready: false, reason: 'Unreported' } });
  });
});
