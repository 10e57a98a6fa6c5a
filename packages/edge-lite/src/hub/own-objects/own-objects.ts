import {
  type Clock,
  type Logger,
  type Service,
  createTaskGroup,
  hasCode,
  jittered,
  type Random,
} from '@selvedge/kit';
import { type KubeClient, defineResource } from '@selvedge/kube';
import type { CoverageHold, Coverages } from '../coverages/types.ts';
import type { CoverageSpec } from '../replica/types.ts';
import type { Caller } from '../request.ts';
import type { Upstream } from '../upstream/types.ts';

export interface OwnObjectsOptions {
  readonly nodeName: string;
  readonly caller: Caller;
}

export interface OwnObjectsDeps {
  readonly coverages: Pick<Coverages, 'join'>;
  /** Of the hub in this process, acting for the node: what it reads is remembered for the kubelet. */
  readonly client: Pick<KubeClient, 'get'>;
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const retryMs = 30_000;
const callTimeoutMs = 30_000;
const csiNodes = defineResource({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'CSINode',
  plural: 'csinodes',
  namespaced: false,
});

/** What the hub itself must know of its node, whoever else reads it. Pure. */
function ownSpecs(nodeName: string): readonly CoverageSpec[] {
  const all = { namespace: '', labelSelector: '', fieldSelector: '' };
  return [
    { ...all, resource: 'v1/nodes', fieldSelector: `metadata.name=${nodeName}` },
    { ...all, resource: 'v1/pods', fieldSelector: `spec.nodeName=${nodeName}` },
    { ...all, resource: 'v1/services' },
  ];
}

/**
 * Follows the node's own Node, its pods and the Services, and looks at its CSINode once per connection: a kubelet whose
 * first contact with the hub is offline finds them.
 */
export function createOwnObjects(options: OwnObjectsOptions, deps: OwnObjectsDeps): Service {
  const { nodeName, caller } = options;
  const { coverages, client, upstream, clock, random, log } = deps;
  const name = 'own objects';
  const tasks = createTaskGroup(
    { name },
    { onFailure: (error, task) => log.error('own object not followed', { object: task, error }) },
  );
  const holds: CoverageHold[] = [];
  const follow = async (spec: CoverageSpec, signal: AbortSignal): Promise<void> => {
    for (;;) {
      try {
        holds.push(await coverages.join({ spec, caller }, signal));
        return;
      } catch (error) {
        signal.throwIfAborted();
        const level = hasCode(error, 'Unavailable', 'DeadlineExceeded') ? 'debug' : 'warn';
        log[level]('own objects not followed yet', { resource: spec.resource, error });
      }
      await clock.sleep(jittered(retryMs, random), signal);
    }
  };
  const look = async (signal: AbortSignal): Promise<void> => {
    if (upstream.connectivity.kind !== 'online') return;
    try {
      await client.get(csiNodes, { name: nodeName }, { signal, timeoutMs: callTimeoutMs });
    } catch (error) {
      signal.throwIfAborted();
      log.debug('no CSINode seen', { error });
    }
  };
  let subscription: Disposable | undefined;
  return {
    name,
    async start() {
      for (const spec of ownSpecs(nodeName)) tasks.run(spec.resource, (signal) => follow(spec, signal));
      subscription = upstream.onConnectivity(() => tasks.run('csinode', look));
      tasks.run('csinode', look);
    },
    async stop() {
      subscription?.[Symbol.dispose]();
      await tasks.stop();
      for (const hold of holds) hold[Symbol.dispose]();
    },
  };
}
