import type { Pod } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import type { PodObserved } from '../../runtime/index.ts';
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
const ending = { spentMs: 0, graceSeconds: 20 };
const deadSandbox = sandboxOf({ state: 'not-ready', ips: [] });
const withInit = podOf({ initContainers: named('one', 'two') });
const sidecar = { name: 'side', image: 'busybox', restartPolicy: 'Always' };
const withSidecar = podOf({ initContainers: [...named('one'), sidecar] });
const probedSidecar = podOf({ initContainers: [{ ...sidecar, startupProbe: {}, livenessProbe: {} }] });

describe('init containers', () => {
  const done = containerOf('one', exited(0));
  table([
    { it: 'run one after the other: the first', pod: withInit, observed: alone, steps: ['start one #0'] },
    {
      it: 'are waited for',
      pod: withInit,
      observed: observedOf([sandboxOf()], [containerOf('one', running)]),
      steps: [],
    },
    {
      it: 'run one after the other: the next',
      pod: withInit,
      observed: observedOf([sandboxOf()], [done]),
      steps: ['start two #0'],
    },
    {
      it: 'come before the others',
      pod: withInit,
      observed: observedOf([sandboxOf()], [containerOf('two', exited(0)), done]),
      steps: ['start main #0'],
    },
    {
      it: 'that were cleaned away are not run again',
      pod: withInit,
      observed: observedOf([sandboxOf()], [containerOf('two', exited(0))]),
      steps: ['start main #0'],
    },
    {
      it: 'run again in a new sandbox',
      pod: withInit,
      desired: { stoppedSandboxes: new Set(['sandbox-0']) },
      observed: observedOf(
        [sandboxOf({ id: 'sandbox-1', attempt: 1 }), deadSandbox],
        [containerOf('main', exited(255)), containerOf('two', exited(0)), done],
      ),
      steps: ['start one #1'],
    },
    {
      it: 'that failed are tried again',
      pod: withInit,
      observed: observedOf([sandboxOf()], [containerOf('one', exited(1))]),
      steps: ['start one #1'],
    },
    {
      it: 'that failed end a pod that must not restart',
      pod: podOf({ initContainers: named('one'), restartPolicy: 'Never' }),
      observed: observedOf([sandboxOf()], [containerOf('one', exited(1))]),
      steps: ['stop sandbox-0'],
    },
    {
      it: 'are over once the others were made, though nothing is left of them',
      pod: withInit,
      observed: observedOf([sandboxOf()], [containerOf('main', running)]),
      steps: [],
    },
  ]);
});

describe('sidecars', () => {
  const one = containerOf('one', exited(0));
  const side = containerOf('side', running);
  const main = containerOf('main', running);
  table([
    {
      it: 'let the next go on as soon as they run',
      pod: withSidecar,
      observed: observedOf([sandboxOf()], [side, one]),
      steps: ['start main #0'],
    },
    {
      it: 'let the next go on only when their startup probe succeeded',
      pod: probedSidecar,
      observed: observedOf([sandboxOf()], [side]),
      steps: [],
    },
    {
      it: 'whose startup probe failed are restarted',
      pod: probedSidecar,
      desired: { verdicts: new Map([['side-0', { startup: false }]]) },
      observed: observedOf([sandboxOf()], [side]),
      steps: ['stop side-0 30s'],
    },
    {
      it: 'that are not alive are restarted beside the others',
      pod: probedSidecar,
      desired: { verdicts: new Map([['side-0', { startup: true, liveness: false }]]) },
      observed: observedOf([sandboxOf()], [main, side]),
      steps: ['stop side-0 30s'],
    },
    {
      it: 'that ended are started again, whatever their exit code',
      pod: withSidecar,
      observed: observedOf([sandboxOf()], [main, containerOf('side', exited(0)), one]),
      steps: ['start side #1'],
    },
    {
      it: 'do not keep a pod alive',
      pod: podOf({ initContainers: [sidecar], restartPolicy: 'Never' }),
      observed: observedOf([sandboxOf()], [containerOf('main', exited(0)), side]),
      steps: ['stop side-0 30s'],
    },
    {
      it: 'end after the others',
      pod: withSidecar,
      desired: { goal: { kind: 'remove', ending } },
      observed: observedOf([sandboxOf()], [main, side]),
      steps: ['stop main-0 20s'],
    },
    {
      it: 'end one by one, the last first, in the time that is left',
      pod: podOf({ initContainers: [sidecar, { ...sidecar, name: 'late' }] }),
      desired: { goal: { kind: 'remove', ending: { ...ending, spentMs: 15_000 } } },
      observed: observedOf([sandboxOf()], [side, containerOf('late', running)]),
      steps: ['stop late-0 5s'],
    },
  ]);
});

describe('a pod that ends', () => {
  const main = containerOf('main', running);
  const over = observedOf([deadSandbox], [containerOf('main', exited(0))]);
  const stopped = { stoppedSandboxes: new Set(['sandbox-0']) };
  const remove = { kind: 'remove', ending } as const;
  const stop = { kind: 'stop', ending } as const;
  table([
    {
      it: 'has all its containers ended together',
      pod: podOf({ containers: named('main', 'other') }),
      desired: { goal: remove },
      observed: observedOf([sandboxOf()], [main, containerOf('other', { kind: 'unknown' })]),
      steps: ['stop main-0 20s', 'stop other-0 20s'],
    },
    {
      it: 'gives a container two seconds at least',
      desired: { goal: { kind: 'remove', ending: { spentMs: 0, graceSeconds: 0 } } },
      observed: observedOf([sandboxOf()], [main]),
      steps: ['stop main-0 2s'],
    },
    {
      it: 'and of which nothing is known gives each container what it was made with',
      pod: { metadata: { name: 'web', uid: 'uid-web' }, spec: { containers: [] } },
      desired: { goal: { kind: 'remove', ending: { spentMs: 0, graceSeconds: undefined } } },
      observed: observedOf([sandboxOf()], [containerOf('main', running, { graceSeconds: 7 })]),
      steps: ['stop main-0 7s'],
    },
    {
      it: 'then has its sandbox ended',
      desired: { goal: remove },
      observed: observedOf([sandboxOf()], [containerOf('main', exited(0))]),
      steps: ['stop sandbox-0'],
    },
    {
      it: 'then its volumes removed',
      desired: { goal: remove, ...stopped },
      observed: over,
      steps: ['remove-volumes'],
    },
    {
      it: 'then all that the runtime holds removed',
      desired: { goal: remove, ...stopped, volumes: 'gone' },
      observed: over,
      steps: ['remove main-0', 'remove sandbox-0'],
    },
    {
      it: 'is reported when nothing is left',
      desired: { goal: remove, volumes: 'gone' },
      observed: nothing,
      steps: ['report-terminated'],
    },
    {
      it: 'of itself keeps what ended and loses the rest',
      desired: { goal: stop, ...stopped },
      observed: over,
      steps: ['remove-volumes'],
    },
    {
      it: 'of itself is left alone then',
      desired: { goal: stop, ...stopped, volumes: 'gone' },
      observed: over,
      steps: [],
    },
    {
      it: 'with the machine keeps its volumes and is started by nobody',
      desired: { goal: { kind: 'halt', ending }, ...stopped },
      observed: over,
      steps: [],
    },
  ]);
});
