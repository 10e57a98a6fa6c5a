import { createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';

import type { ApplyDeps } from '../apply/index.ts';
import { containerOf, observedOf, podOf, running, sandboxOf } from '../plan/testing.ts';
import { createPodMetrics } from './metrics.ts';
import type { WorkerDeps } from './ports.ts';
import { runRound } from './rounds.ts';
import { createPodStates } from './state.ts';

describe('a container that was killed to be started again', () => {
  it('is remembered no longer than the runtime holds it', async () => {
    const clock = createManualClock();
    const { signal } = new AbortController();
    const runtime = { stopContainer: async () => undefined } as Partial<ApplyDeps['runtime']>;
    const hooks = { preStop: async () => undefined };
    const deps = {
      clock,
      log: silentLogger,
      metrics: createPodMetrics(createMetricsRegistry()),
      apply: { clock, log: silentLogger, runtime, hooks, events: { record: () => undefined } },
    } as unknown as WorkerDeps;
    const store = { get: () => undefined, put: () => undefined, delete: () => undefined, uids: () => [] };
    const state = createPodStates(store).of('uid-web');
    state.pod = podOf();
    for (const id of ['a', 'b', 'c']) {
      const stop = { kind: 'stop-container', container: 'main', containerId: id } as const;
      await runRound(deps, state, {
        signal,
        podIPs: [],
        steps: [{ ...stop, graceSeconds: 1, message: '', restart: true }],
        observed: observedOf([sandboxOf()], [containerOf('main', running, { id })]),
      });
    }
    expect(state.saved.owedRestarts).toEqual(['c']);
  });
});
