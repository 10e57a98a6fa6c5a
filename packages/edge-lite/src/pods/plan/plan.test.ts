import type { Pod } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import type { PodObserved } from '../../runtime/index.ts';
import { crashPolicy } from './backoff.ts';
import type { PodDesired } from './desired.ts';
import { plan } from './plan.ts';
import {
  brief,
  containerOf,
  desiredOf,
  exited,
  named,
  nowMs,
  observedOf,
  podOf,
  running,
  sandboxOf,
} from './testing.ts';

interface Row {
  readonly it: string;
  readonly pod?: Pod;
  readonly desired?: Partial<PodDesired>;
  readonly observed: PodObserved;
  readonly steps: readonly string[];
}

function table(rows: readonly Row[]): void {
  it.each(rows)('$it', ({ pod = podOf(), desired, observed, steps }) => {
    expect(plan(desiredOf(pod, desired), observed, nowMs).map(brief)).toEqual(steps);
  });
}

const nothing = observedOf([]);
const alone = observedOf([sandboxOf()]);
const deadSandbox = sandboxOf({ state: 'not-ready', ips: [] });
const never = podOf({ restartPolicy: 'Never' });
const onFailure = podOf({ restartPolicy: 'OnFailure' });

describe('a new pod', () => {
  table([
    { it: 'gets a sandbox first', observed: nothing, steps: ['create sandbox 0'] },
    {
      it: 'gets its volumes before the sandbox',
      desired: { volumes: 'unknown' },
      observed: nothing,
      steps: ['prepare-volumes', 'create sandbox 0'],
    },
    {
      it: 'waits for the network',
      desired: { networkReady: false, volumes: 'unknown' },
      observed: nothing,
      steps: ['wait-for-network'],
    },
    {
      it: "needs no network with the host's",
      pod: podOf({ hostNetwork: true }),
      desired: { networkReady: false },
      observed: nothing,
      steps: ['create sandbox 0'],
    },
    { it: 'gets its containers in the sandbox', observed: alone, steps: ['start main #0'] },
    {
      it: 'gets them in the order of the spec',
      pod: podOf({ containers: named('b', 'a') }),
      observed: alone,
      steps: ['start b #0', 'start a #0'],
    },
    {
      it: 'is left alone when everything runs',
      observed: observedOf([sandboxOf()], [containerOf('main', running)]),
      steps: [],
    },
    {
      it: 'has its volumes noted again after a restart of this process, and nothing else',
      desired: { volumes: 'unknown' },
      observed: observedOf([sandboxOf()], [containerOf('main', running)]),
      steps: ['prepare-volumes'],
    },
  ]);
});

describe('the sandbox', () => {
  table([
    {
      it: 'is made anew when it died, with the next attempt',
      observed: observedOf([deadSandbox], [containerOf('main', exited(255))]),
      steps: ['stop sandbox-0', 'create sandbox 1'],
    },
    {
      it: 'is made anew when it has no address',
      observed: observedOf([sandboxOf({ ips: [] })]),
      steps: ['stop sandbox-0', 'create sandbox 1'],
    },
    {
      it: 'is not stopped twice',
      desired: { stoppedSandboxes: new Set(['sandbox-0']) },
      observed: observedOf([deadSandbox]),
      steps: ['create sandbox 1'],
    },
    {
      it: 'is not made anew before what may run in the old one has ended',
      observed: observedOf([deadSandbox], [containerOf('main', { kind: 'unknown' })]),
      steps: ['stop main-0 30s'],
    },
    {
      it: 'is not made anew for a pod that ran and must not restart',
      pod: never,
      desired: { stoppedSandboxes: new Set(['sandbox-0']) },
      observed: observedOf([deadSandbox], [containerOf('main', exited(255))]),
      steps: [],
    },
    {
      it: 'is made anew for a pod that must not restart but never ran',
      pod: never,
      desired: { stoppedSandboxes: new Set(['sandbox-0']) },
      observed: observedOf([deadSandbox], [containerOf('main', { kind: 'created' })]),
      steps: ['create sandbox 1'],
    },
    {
      it: 'is not made anew when all that may fail succeeded',
      pod: onFailure,
      observed: observedOf([deadSandbox], [containerOf('main', exited(0))]),
      steps: ['stop sandbox-0'],
    },
    {
      it: 'is made anew when one of them failed',
      pod: onFailure,
      observed: observedOf([deadSandbox], [containerOf('main', exited(1))]),
      steps: ['stop sandbox-0', 'create sandbox 1'],
    },
    {
      it: 'takes in only what runs in it: the rest is ended',
      observed: observedOf(
        [sandboxOf({ id: 'sandbox-1', attempt: 1 }), sandboxOf()],
        [containerOf('main', running, { sandboxId: 'sandbox-0' })],
      ),
      steps: ['stop main-0 30s'],
    },
    {
      it: 'that is superfluous is stopped',
      observed: observedOf(
        [sandboxOf({ id: 'sandbox-1', attempt: 1 }), sandboxOf()],
        [containerOf('main', running, { sandboxId: 'sandbox-1' })],
      ),
      steps: ['stop sandbox-0'],
    },
    {
      it: 'that is old is removed when nothing is kept in it',
      desired: { stoppedSandboxes: new Set(['sandbox-0']) },
      observed: observedOf(
        [sandboxOf({ id: 'sandbox-1', attempt: 1 }), deadSandbox],
        [containerOf('main', running, { sandboxId: 'sandbox-1' })],
      ),
      steps: ['remove sandbox-0'],
    },
  ]);
});

describe('a container that ended', () => {
  const crashed = observedOf([sandboxOf()], [containerOf('main', exited(1), { restartCount: 3 })]);
  const entry = (delayMs: number, startedAgoMs: number) =>
    new Map([['main', { delayMs, startedAtMs: nowMs - startedAgoMs, hash: 'same' }]]);
  table([
    { it: 'is started at once the first time', observed: crashed, steps: ['start main #4'] },
    {
      it: 'waits for its back-off, counted from its end',
      desired: { crashes: entry(20_000, 5000) },
      observed: crashed,
      steps: ['wait main 19s'],
    },
    {
      it: 'is started at once when it went with the power of its node',
      desired: { crashes: entry(300_000, 5000) },
      observed: observedOf(
        [sandboxOf()],
        [containerOf('main', { ...exited(255), reason: 'Unknown' }, { restartCount: 3 })],
      ),
      steps: ['start main #4'],
    },
    {
      it: 'is started when its back-off is over',
      desired: { crashes: entry(1000, 5000) },
      observed: crashed,
      steps: ['start main #4'],
    },
    {
      it: 'is started at once when its end is to come, for the clock was set back',
      desired: { crashes: entry(300_000, -3_600_000) },
      observed: observedOf([sandboxOf()], [containerOf('main', exited(1, -3_600_000), { restartCount: 3 })]),
      steps: ['start main #4'],
    },
    {
      it: 'starts afresh when it had run long enough',
      desired: { crashes: entry(300_000, crashPolicy.resetAfterMs + 1001) },
      observed: crashed,
      steps: ['start main #4'],
    },
    {
      it: 'starts afresh when it is another one than the one that crashed',
      desired: { crashes: entry(300_000, 5000), hashes: new Map([['main', 'changed']]) },
      observed: crashed,
      steps: ['start main #4'],
    },
    {
      it: 'stays ended when it succeeded and only failures restart',
      pod: podOf({ restartPolicy: 'OnFailure', containers: named('main', 'other') }),
      observed: observedOf([sandboxOf()], [containerOf('main', exited(0)), containerOf('other', running)]),
      steps: [],
    },
    {
      it: 'ends the pod when it was the last and nothing restarts',
      pod: never,
      observed: observedOf([sandboxOf()], [containerOf('main', exited(1))]),
      steps: ['stop sandbox-0'],
    },
    {
      it: 'restarts by a rule of its own',
      pod: podOf({
        restartPolicy: 'Never',
        containers: [
          {
            name: 'main',
            restartPolicy: 'Never',
            restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
          },
        ],
      }),
      observed: observedOf([sandboxOf()], [containerOf('main', exited(42))]),
      steps: ['start main #1'],
    },
    {
      it: 'that was killed to be restarted is started whatever its exit code says',
      pod: onFailure,
      desired: { owedRestarts: new Set(['main-0']) },
      observed: observedOf([sandboxOf()], [containerOf('main', exited(0))]),
      steps: ['start main #1'],
    },
    {
      it: 'that the runtime forgot keeps its count',
      desired: { nextRestart: new Map([['main', 7]]) },
      observed: alone,
      steps: ['start main #7'],
    },
    {
      it: 'is kept once, older ones are removed',
      observed: observedOf(
        [sandboxOf()],
        [
          containerOf('main', running, { id: 'main-3', restartCount: 3 }),
          containerOf('main', exited(1), { id: 'main-2' }),
          containerOf('main', exited(1), { id: 'main-1' }),
        ],
      ),
      steps: ['remove main-1'],
    },
    {
      it: 'that was made but never started is removed first',
      observed: observedOf([sandboxOf()], [containerOf('main', { kind: 'created' })]),
      steps: ['remove main-0'],
    },
  ]);
});

describe('a container that runs', () => {
  const one = observedOf([sandboxOf()], [containerOf('main', running)]);
  const probe = { terminationGracePeriodSeconds: 5 };
  const probed = podOf({ containers: [{ name: 'main', livenessProbe: probe, startupProbe: {} }] });
  table([
    {
      it: 'is ended when its definition changed',
      desired: { hashes: new Map([['main', 'changed']]) },
      observed: one,
      steps: ['stop main-0 30s'],
    },
    {
      it: "is ended when it is not alive, with the probe's own grace",
      pod: probed,
      desired: { verdicts: new Map([['main-0', { liveness: false }]]) },
      observed: one,
      steps: ['stop main-0 5s'],
    },
    {
      it: "is ended when it does not start, with the pod's grace",
      pod: probed,
      desired: { verdicts: new Map([['main-0', { startup: false }]]) },
      observed: one,
      steps: ['stop main-0 30s'],
    },
    {
      it: 'stays when it is only not ready',
      pod: probed,
      desired: { verdicts: new Map([['main-0', { readiness: false, liveness: true }]]) },
      observed: one,
      steps: [],
    },
  ]);

  it('says whether it will be restarted', () => {
    const texts = [podOf(), never].map((pod) => {
      const verdicts = new Map([['main-0', { liveness: false }]]);
      return plan(desiredOf(pod, { verdicts }), one, nowMs).map(
        (step) => step.kind === 'stop-container' && [step.message, step.restart],
      );
    });
    expect(texts).toEqual([
      [['Container main failed liveness probe, will be restarted', true]],
      [['Container main failed liveness probe', false]],
    ]);
  });
});
