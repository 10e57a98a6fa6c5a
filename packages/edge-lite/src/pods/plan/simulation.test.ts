import { fc, test } from '@fast-check/vitest';
import type { Container, Pod } from '@selvedge/kube/types';
import { describe, expect } from 'vitest';

import { isTerminal } from '../status/index.ts';
import type { Mishap } from './model-runtime.ts';
import { type Disturbance, Simulation } from './simulation.ts';
import { mayRun } from './view.ts';

const policy = fc.constantFrom('Always', 'OnFailure', 'Never');
const regular = fc
  .record({ restartPolicy: fc.option(policy, { nil: undefined }), probed: fc.boolean() })
  .map(({ restartPolicy, probed }) => ({ restartPolicy, ...(probed ? { livenessProbe: {} } : {}) }));
const init = fc.boolean().map((side) => (side ? { restartPolicy: 'Always' } : {}));
const named = (prefix: string, containers: readonly Partial<Container>[]): readonly Container[] =>
  containers.map((container, index) => ({ ...container, name: `${prefix}${index}`, image: 'image' }));

const pods = fc
  .record({
    restartPolicy: policy,
    hostNetwork: fc.boolean(),
    inits: fc.array(init, { maxLength: 3 }),
    regulars: fc.array(regular, { minLength: 1, maxLength: 3 }),
  })
  .map(
    ({ restartPolicy, hostNetwork, inits, regulars }): Pod => ({
      metadata: { name: 'web', namespace: 'shop', uid: 'uid-web' },
      spec: {
        restartPolicy,
        hostNetwork,
        initContainers: named('init', inits),
        containers: named('main', regulars),
      },
    }),
  );

const disturbance = fc.oneof(
  fc.record({ kind: fc.constant('exit' as const), pick: fc.nat(5), exitCode: fc.constantFrom(0, 1, 137) }),
  fc.record({ kind: fc.constant('lose' as const), pick: fc.nat(5) }),
  fc.record({
    kind: fc.constantFrom(
      'kill-sandbox' as const,
      'orphan-sandbox' as const,
      'reboot' as const,
      'restart-agent' as const,
      'change-image' as const,
      'fail-liveness' as const,
    ),
  }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(400) }),
);

interface Story {
  /** `undefined`: nothing happens but a round. */
  readonly events: readonly (Disturbance | undefined)[];
  /** Taken in turn by the steps. */
  readonly mishaps: readonly Mishap[];
}

const story: fc.Arbitrary<Story> = fc.record({
  events: fc.array(fc.option(disturbance, { nil: undefined, freq: 2 }), { maxLength: 40, size: 'max' }),
  mishaps: fc.array(fc.constantFrom<Mishap>('none', 'none', 'none', 'none', 'refused', 'unheard', 'half'), {
    minLength: 1,
    maxLength: 60,
    size: 'max',
  }),
});

function tell(pod: Pod, { events, mishaps }: Story): Simulation {
  const simulation = new Simulation(pod);
  let step = 0;
  const next = (): Mishap => mishaps[step++ % mishaps.length] ?? 'none';
  for (const event of events) {
    if (event === undefined) simulation.finishInits();
    else simulation.disturb(event);
    simulation.round(next);
  }
  return simulation;
}

describe('the plan, on a model runtime', () => {
  test.prop([pods, story], { numRuns: 500 })('converges after any mishaps and is empty then', (pod, what) => {
    const simulation = tell(pod, what);
    simulation.settle();
    expect(simulation.plan()).toEqual([]);
    const { containers, sandboxes } = simulation.runtime.observe();
    const running = containers.filter(mayRun);
    const ready = sandboxes.filter(({ state }) => state === 'ready').map(({ id }) => id);
    expect(ready).toHaveLength(running.length === 0 ? 0 : 1);
    expect(running.map(({ sandboxId }) => sandboxId)).toEqual(running.map(() => ready[0]));
    if (isTerminal(simulation.status?.phase)) return;
    const always = (pod.spec?.containers ?? []).filter(
      ({ restartPolicy }) => (restartPolicy ?? pod.spec?.restartPolicy) === 'Always',
    );
    expect(running.map(({ name }) => name)).toEqual(expect.arrayContaining(always.map(({ name }) => name)));
  });

  test.prop([pods, story], { numRuns: 300 })('leaves nothing of a pod deleted at any time', (pod, what) => {
    const simulation = tell(pod, what);
    simulation.delete();
    simulation.settle();
    expect(simulation.reported).toBe(true);
    const { containers, sandboxes } = simulation.runtime.observe();
    expect([...containers, ...sandboxes]).toEqual([]);
  });

  test.prop([pods, story], { numRuns: 200 })('restarts nothing when the agent restarts', (pod, what) => {
    const simulation = tell(pod, what);
    simulation.settle();
    const before = simulation.runtime.observe();
    simulation.disturb({ kind: 'restart-agent' });
    simulation.settle();
    expect(simulation.runtime.observe().containers).toEqual(before.containers);
  });
});
