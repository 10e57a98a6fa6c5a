import { type Logger, type Service, createTaskGroup, hasCode } from '@selvedge/kit';
import { type KubeClient, resources, strategicMergePatch } from '@selvedge/kube';
import { onAway } from '../upstream/index.ts';
import type { Connectivity, Upstream } from '../upstream/types.ts';
import type { View } from '../views/types.ts';
import { conditionOf, withCondition } from './condition.ts';

export interface CloudConditionOptions {
  readonly nodeName: string;
}

export interface CloudConditionDeps {
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>;
  /** Acts for the node. */
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly log: Logger;
}

const callTimeoutMs = 30_000;

/** While the cloud is away the local clients see the condition by this view, with the reason for which the cut began. */
export function createCloudConditionView(
  { nodeName }: CloudConditionOptions,
  { upstream }: Pick<CloudConditionDeps, 'upstream'>,
): View {
  const names = [{ namespace: '', name: nodeName }];
  let cut: Connectivity | undefined;
  return {
    name: 'cloud-condition',
    resources: new Set(['v1/nodes']),
    apply(_resource, object) {
      const { connectivity } = upstream;
      if (connectivity.kind !== 'offline' || object.metadata.name !== nodeName) return object;
      if (cut?.sinceMs !== connectivity.sinceMs) cut = connectivity;
      const condition = conditionOf(cut);
      return condition === undefined ? object : withCondition(object, condition);
    },
    onChange: (changed) => onAway(upstream, () => changed('v1/nodes', names)),
  };
}

/** Tells the cloud, each time it is reached again. A Node that is not there yet is told at the next time. */
export function createCloudConditionReporter(
  { nodeName }: CloudConditionOptions,
  { upstream, client, log }: CloudConditionDeps,
): Service {
  const tasks = createTaskGroup(
    { name: 'cloud condition' },
    {
      onFailure: (error) => {
        const expected = hasCode(error, 'NotFound', 'Unavailable', 'DeadlineExceeded');
        log[expected ? 'info' : 'warn']('condition of the Node not written', { error });
      },
    },
  );
  const report = async (signal: AbortSignal): Promise<void> => {
    const condition = conditionOf(upstream.connectivity);
    if (condition === undefined || upstream.connectivity.kind !== 'online') return;
    const at = { name: nodeName };
    const node = await client.get(resources.nodes, at, { signal, timeoutMs: callTimeoutMs });
    if (withCondition(node, condition) === node) return;
    const patch = strategicMergePatch({ status: { conditions: [condition] } });
    await client.patch(resources.nodes, at, {
      patch,
      subresource: 'status',
      signal,
      timeoutMs: callTimeoutMs,
    });
  };
  let subscription: Disposable | undefined;
  return {
    name: 'cloud condition',
    async start() {
      subscription = upstream.onConnectivity(() => tasks.run('report', report));
      tasks.run('report', report);
    },
    async stop() {
      subscription?.[Symbol.dispose]();
      await tasks.stop();
    },
  };
}
