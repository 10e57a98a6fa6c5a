import { EventEmitter } from 'node:events';
import { SelvedgeError, createMetricsRegistry, raceAbort } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { connectivityOf, judge, type Evidence, type LinkState } from './connectivity-plan.ts';
import { Gate, type Passage } from './gate.ts';
import { createUpstreamMetrics } from './metrics.ts';
import type { Monitor } from './monitor.ts';
import { defaultTimings } from './timings.ts';

const { signal } = new AbortController();
const unsent = new SelvedgeError('cannot connect', { code: 'Unavailable', details: { unsent: true } });

/** The judgement without probes: the test is the probe. */
class HandMonitor implements Monitor {
  readonly name = 'by hand';
  readonly heard: Evidence[] = [];
  readonly #listeners = new Set<() => void>();
  #state: LinkState = { kind: 'online', sinceMs: 0, server: 'a' };
  get connectivity() {
    return connectivityOf(this.#state);
  }
  get listeners(): number {
    return this.#listeners.size;
  }
  onConnectivity(changed: Parameters<Monitor['onConnectivity']>[0]): Disposable {
    const tell = (): void => changed(this.connectivity);
    this.#listeners.add(tell);
    return { [Symbol.dispose]: () => void this.#listeners.delete(tell) };
  }
  hear(evidence: Evidence): void {
    this.heard.push(evidence);
    this.#state = judge(this.#state, evidence, 7);
    for (const tell of this.#listeners) tell();
  }
  async settled() {
    while (this.#state.kind === 'doubted') await new Promise((resolve) => setImmediate(resolve));
    return this.connectivity;
  }
  start = async (): Promise<void> => undefined;
  stop = async (): Promise<void> => undefined;
}

describe('the gate', () => {
  const clock = createManualClock();
  let monitor: HandMonitor;
  let gate: Gate;
  beforeEach(() => {
    monitor = new HandMonitor();
    const metrics = createUpstreamMetrics(createMetricsRegistry());
    gate = new Gate(defaultTimings, { clock, monitor, metrics, server: () => 'a' });
  });
  const pass = <T>(work: Passage<T>['work'], more: Partial<Passage<T>> = {}): Promise<T> =>
    gate.pass({
      caller: 'node',
      signal,
      prompt: true,
      statusOf: () => 200,
      stays: () => undefined,
      ...more,
      work,
    });

  it('asks nothing of a monitor that an answer does not say, and leaves nothing behind', async () => {
    expect(await pass(async () => 'answer')).toBe('answer');
    expect(monitor.heard).toEqual([{ kind: 'answered', server: 'a', by: 'answer' }]);
    expect([monitor.listeners, clock.sleepers]).toEqual([0, 0]);
  });

  it('refuses at once while offline, and ends what waits when that becomes known', async () => {
    const waiting = pass((inner) => raceAbort(new Promise<never>(() => undefined), inner));
    monitor.hear({ kind: 'suspected', reason: 'silent', patienceMs: 1, proof: 'answer' });
    monitor.hear({ kind: 'overdue' });
    const refusal = {
      code: 'Unavailable',
      message: 'this node is autonomous since 1970-01-01T00:00:00Z: no API server can be reached: silent',
      // Nothing that a Status would take for its own reason.
      details: { offlineSinceMs: 7 },
    };
    await expect(waiting).rejects.toMatchObject(refusal);
    let worked = false;
    await expect(pass(async () => (worked = true))).rejects.toMatchObject(refusal);
    expect(worked).toBe(false);
  });

  it('tells a call that reached nobody whether that is so for all', async () => {
    const failing = async (): Promise<never> => {
      throw unsent;
    };
    const first = pass(failing);
    await new Promise((resolve) => setImmediate(resolve));
    monitor.hear({ kind: 'answered', server: 'a', by: 'probe' });
    await expect(first).rejects.toBe(unsent);
    const second = pass(failing);
    await new Promise((resolve) => setImmediate(resolve));
    monitor.hear({ kind: 'unreachable', reason: 'refused' });
    await expect(second).rejects.toMatchObject({ details: { offlineSinceMs: 7 }, cause: unsent });
  });

  it('doubts a server that is slow to answer, but not to a call that may be', async () => {
    for (const prompt of [false, true]) {
      const answer = Promise.withResolvers<string>();
      const call = pass(() => answer.promise, { prompt });
      await clock.advance(defaultTimings.slowMs);
      expect(monitor.heard.map(({ kind }) => kind)).toEqual(prompt ? ['answered', 'suspected'] : []);
      answer.resolve('late');
      expect(await call).toBe('late');
    }
  });

  it('doubts a server that fails, once in a while', async () => {
    const failing = (): Promise<string> => pass(async () => 'x', { statusOf: () => 500 });
    await failing();
    await failing();
    expect(monitor.heard).toHaveLength(1);
    await clock.advance(defaultTimings.recheckMs);
    await failing();
    expect(monitor.heard).toHaveLength(2);
  });

  it('takes neither a refusal nor a caller who went away for evidence', async () => {
    const forbidden = new SelvedgeError('no', { code: 'Forbidden' });
    await expect(pass(() => Promise.reject(forbidden))).rejects.toBe(forbidden);
    const gone = new AbortController();
    const call = pass((inner) => raceAbort(new Promise<never>(() => undefined), inner), {
      signal: gone.signal,
    });
    gone.abort(unsent);
    await expect(call).rejects.toBe(unsent);
    expect(monitor.heard).toEqual([]);
  });

  it('keeps the signal on what goes on after the answer, until it is closed', async () => {
    const gone = new AbortController();
    const body = new EventEmitter();
    let inner: AbortSignal | undefined;
    const start = (): Promise<unknown> =>
      pass(
        async (own) => {
          inner = own;
          return body;
        },
        { signal: gone.signal, stays: () => body },
      );
    await start();
    const first = inner;
    body.emit('close');
    await start();
    gone.abort(new Error('gone'));
    expect([first?.aborted, inner?.aborted]).toEqual([false, true]);
  });
});
