import { type MetricsRegistry, type Service, createPoke, createTaskGroup } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import { type Mirror, createMirror } from '../facts/index.ts';
import type { Replica } from '../replica/types.ts';
import type { Caller } from '../request.ts';
import type { MembershipDeps } from '../source/index.ts';
import { EarlyTokens, type EarlyTokensDeps } from './early-tokens.ts';
import { HeldObjects } from './held-objects.ts';
import { type PodNeeds, needsOf } from './needs.ts';

export interface PodNeedsOptions {
  readonly nodeName: string;
  /** In whose name. */
  readonly caller: Caller;
  /** Config maps and secrets held at a time; others are held when the kubelet asks for them. Default 300. */
  readonly maxObjects?: number;
  /** A token that the kubelet has not asked for in this time is asked for here, in milliseconds. Default 60,000. */
  readonly patienceMs?: number;
}

export interface PodNeedsDeps extends MembershipDeps, Omit<EarlyTokensDeps, 'upstream' | 'wanted'> {
  readonly replica: Pick<Replica, 'reader'>;
  readonly upstream: MembershipDeps['upstream'] & EarlyTokensDeps['upstream'];
  readonly metrics: MetricsRegistry;
}

/** The Node authorizer hears of a new pod a moment later than its node does, and refuses until then. */
const settleMs = 1_000;

/**
 * Holds what the pods of this node need to start, config maps, secrets and tokens, before their kubelet asks for it: a
 * kubelet whose first contact with the hub is offline finds it. Dropped with the pod. To be started after the coverages
 * and stopped before them.
 */
export function createPodNeeds(options: PodNeedsOptions, deps: PodNeedsDeps): Service {
  const { nodeName, caller, maxObjects = 300, patienceMs = 60_000 } = options;
  const held = new HeldObjects({ caller, maxObjects }, deps);
  let pods: Mirror<PodNeeds> | undefined;
  const needs = (): readonly PodNeeds[] => [...(pods?.values() ?? [])];
  const tokens = new EarlyTokens(
    { patienceMs },
    { ...deps, wanted: () => needs().flatMap((one) => one.tokens) },
  );
  const pick = (object: KubeObject): PodNeeds | undefined => needsOf(object, nodeName);
  const changed = createPoke(deps.clock);
  const tasks = createTaskGroup(
    { name: 'pod needs' },
    { onFailure: (error) => deps.log.error('pods are not followed any more', { error }) },
  );
  const look = (): void => held.want(needs().flatMap((one) => one.objects));
  deps.metrics.sampled(
    { name: 'selvedge_hub_pod_objects', help: 'Config maps and secrets held for the pods of this node.' },
    () => held.size,
  );
  const follow = async (inner: AbortSignal): Promise<void> => {
    for (;;) {
      await changed.wait(undefined, inner);
      await deps.clock.sleep(settleMs, inner);
      look();
    }
  };
  return {
    name: 'pod needs',
    async start(signal) {
      signal.throwIfAborted();
      const reader = deps.replica.reader('v1/pods');
      pods = createMirror({ reader, pick }, () => changed.poke());
      look();
      tasks.run('follow', follow);
      tokens.start();
    },
    async stop() {
      pods?.[Symbol.dispose]();
      await tasks.stop();
      await tokens.stop();
      await held.stop();
    },
  };
}
