import { SelvedgeError, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { Container, Probe } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import { containerWith, podWith, recordedEvents } from '../testing.ts';
import { createProber, type ProberOptions } from './prober.ts';

type Answer = 'good' | 'bad' | 'broken';

/** Probes are commands whose name is their kind; `answers` says how each is answered now. */
function world(options: ProberOptions = { spreadMs: 0 }) {
  const clock = createManualClock();
  const { events, ...recorder } = recordedEvents();
  const answers: Record<string, Answer> = { startup: 'good', readiness: 'good', liveness: 'good' };
  const asked: string[] = [];
  const metrics = createMetricsRegistry();
  const prober = createProber(options, {
    clock,
    events: recorder,
    metrics,
    random: () => 0.5,
    log: silentLogger,
    exec: async ({ command: [kind = ''] }) => {
      asked.push(`${kind}@${clock.monotonicMs() / 1000}`);
      if (answers[kind] === 'broken') throw new SelvedgeError('no runtime', { code: 'Unavailable' });
      return { exitCode: answers[kind] === 'good' ? 0 : 1, stdout: `${kind} says no`, stderr: '' };
    },
  });
  const changes: string[] = [];
  prober.subscribe((uid) => changes.push(uid));
  return {
    clock,
    events,
    answers,
    asked,
    changes,
    metrics,
    prober,
    watch: (container: Partial<Container>, more: { started?: boolean; agoMs?: number } = {}) => {
      const { agoMs = 0, ...rest } = more;
      const target = {
        pod: podWith(),
        container: containerWith(container),
        containerId: 'c1',
        podIP: () => '10.0.0.7',
      };
      return prober.watch({ ...target, startedAtMs: clock.now() - agoMs, ...rest });
    },
    results: () => prober.results('c1'),
    counts: () => prober.counts(),
  };
}

const probe = (kind: string, more: Partial<Probe> = {}): Probe => ({
  exec: { command: [kind] },
  periodSeconds: 10,
  ...more,
});
const readinessProbe = probe('readiness');
const livenessProbe = probe('liveness');
const startupProbe = probe('startup');

describe('the prober', () => {
  it('knows nothing before the first answer, and tells of it', async () => {
    const { watch, results, clock, changes } = world();
    watch({ readinessProbe, livenessProbe });
    expect(results()).toEqual({});
    await clock.advance(0);
    expect(results()).toEqual({ readiness: true, liveness: true });
    expect(changes).toEqual(['uid-web', 'uid-web']);
  });

  it('waits for the initial delay, counted from the start of the container, and keeps the period', async () => {
    const { watch, asked, clock } = world();
    watch({ livenessProbe: { ...livenessProbe, initialDelaySeconds: 5 } }, { agoMs: 2000 });
    await clock.advance(25_000);
    expect(asked).toEqual(['liveness@3', 'liveness@13', 'liveness@23']);
  });

  it('asks again soon until a container is first ready', async () => {
    const { watch, asked, answers, clock } = world();
    answers['readiness'] = 'bad';
    watch({ readinessProbe });
    await clock.advance(16_000);
    answers['readiness'] = 'good';
    await clock.advance(30_000);
    expect(asked.map((text) => text.split('@')[1])).toEqual(['0', '1', '3', '7', '15', '25', '35', '45']);
  });

  it('takes as many equal answers in a row as it was told to', async () => {
    const { watch, results, answers, clock } = world();
    watch({ readinessProbe: { ...readinessProbe, failureThreshold: 2, successThreshold: 2 } });
    await clock.advance(0);
    expect(results()).toEqual({});
    await clock.advance(1000);
    expect(results()).toEqual({ readiness: true });
    answers['readiness'] = 'bad';
    await clock.advance(10_000);
    answers['readiness'] = 'good';
    await clock.advance(10_000);
    answers['readiness'] = 'bad';
    await clock.advance(10_000);
    expect(results()).toEqual({ readiness: true });
    await clock.advance(10_000);
    expect(results()).toEqual({ readiness: false });
  });

  it('counts the answers of what is watched, by kind and result', async () => {
    const { watch, counts, answers, clock } = world();
    const own = watch({ livenessProbe: { ...livenessProbe, failureThreshold: 9 } });
    await clock.advance(10_000);
    answers['liveness'] = 'bad';
    await clock.advance(10_000);
    const common = { podUid: 'uid-web', probe: 'liveness' };
    expect(counts()).toMatchObject([
      { ...common, result: 'success', count: 2 },
      { ...common, result: 'failure', count: 1 },
    ]);
    own[Symbol.dispose]();
    expect(counts()).toEqual([]);
  });

  it('holds everything else back until the container has started', async () => {
    const { watch, results, asked, answers, clock } = world();
    answers['startup'] = 'bad';
    watch({ startupProbe, readinessProbe, livenessProbe });
    await clock.advance(15_000);
    expect(asked).toEqual(['startup@0', 'startup@10']);
    answers['startup'] = 'good';
    await clock.advance(5_000);
    expect(results()).toEqual({ startup: true, readiness: true, liveness: true });
    await clock.advance(10_000);
    expect(asked.filter((text) => text.startsWith('startup'))).toEqual([
      'startup@0',
      'startup@10',
      'startup@20',
    ]);
  });

  it('gives a start up after its failures, and asks nothing more', async () => {
    const { watch, results, asked, answers, clock } = world();
    answers['startup'] = 'bad';
    watch({ startupProbe: { ...startupProbe, failureThreshold: 2 }, livenessProbe });
    await clock.advance(100_000);
    expect(results()).toEqual({ startup: false });
    expect(asked).toEqual(['startup@0', 'startup@10']);
  });

  it('does not ask a container that had started before this process', async () => {
    const { watch, results, asked, answers, clock } = world();
    answers['startup'] = 'bad';
    watch({ startupProbe, livenessProbe }, { started: true });
    await clock.advance(0);
    expect(results()).toEqual({ startup: true, liveness: true });
    expect(asked).toEqual(['liveness@0']);
  });

  it('asks no more once a container is to be killed', async () => {
    const { watch, results, asked, answers, clock } = world();
    answers['liveness'] = 'bad';
    watch({ livenessProbe });
    await clock.advance(100_000);
    expect(results()).toEqual({ liveness: false });
    expect(asked).toEqual(['liveness@0', 'liveness@10', 'liveness@20']);
  });

  it("records what fails, in the kubelet's words", async () => {
    const { watch, events, answers, clock } = world();
    answers['liveness'] = 'bad';
    watch({ livenessProbe });
    await clock.advance(0);
    expect(events).toEqual([
      {
        pod: { namespace: 'shop', name: 'web', uid: 'uid-web' },
        type: 'Warning',
        reason: 'Unhealthy',
        message: 'Liveness probe failed: liveness says no',
        fieldPath: 'spec.containers{main}',
      },
    ]);
  });

  it('concludes nothing from a probe that cannot be run, which it tries three times', async () => {
    const { watch, results, asked, events, answers, clock } = world();
    answers['liveness'] = 'broken';
    watch({ livenessProbe: { ...livenessProbe, failureThreshold: 1 } });
    await clock.advance(0);
    expect(asked).toHaveLength(3);
    expect(results()).toEqual({});
    expect(events.map(({ message }) => message)).toEqual([
      'Liveness probe errored and resulted in unknown state: no runtime',
    ]);
  });

  it('leaves an ending pod in peace, but for its readiness', async () => {
    const { watch, asked, clock, prober } = world();
    watch({ readinessProbe, livenessProbe });
    await clock.advance(0);
    prober.quiet('uid-web');
    await clock.advance(10_000);
    expect(asked).toEqual(['readiness@0', 'liveness@0', 'readiness@10']);
  });

  it('goes on while anybody watches, and forgets what nobody watches', async () => {
    const { watch, results, asked, clock, prober } = world();
    const [first, second] = [watch({ readinessProbe }), watch({ readinessProbe })];
    await clock.advance(0);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(results()).toEqual({ readiness: true });
    second[Symbol.dispose]();
    expect(results()).toEqual({});
    await clock.advance(60_000);
    expect(asked).toEqual(['readiness@0']);
    await prober.stop();
    expect(clock.sleepers).toBe(0);
  });

  it('spreads the first probes after a restart', async () => {
    const { watch, asked, clock } = world({ spreadMs: 4000 });
    watch({ livenessProbe });
    await clock.advance(4000);
    expect(asked).toEqual(['liveness@2']);
  });

  it('refuses more containers than it can hold', () => {
    const { watch, prober } = world({ spreadMs: 0, maxTargets: 1 });
    watch({ livenessProbe });
    const target = {
      pod: podWith(),
      container: containerWith(),
      containerId: 'c2',
      podIP: () => '',
      startedAtMs: 0,
    };
    expect(() => prober.watch(target)).toThrow(expect.objectContaining({ code: 'ResourceExhausted' }));
  });

  it('counts what probes say', async () => {
    const { watch, metrics, clock } = world();
    watch({ livenessProbe });
    await clock.advance(10_000);
    expect(metrics.render()).toContain(
      'selvedge_pods_probe_results_total{probe="liveness",result="success"} 2',
    );
  });
});
