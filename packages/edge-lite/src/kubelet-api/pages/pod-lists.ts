import type { Pod } from '@selvedge/kube/types';
import type { PodObserved, Runtime } from '../../runtime/index.ts';
import { jsonAnswer } from '../errors.ts';
import type { PodSource } from '../pods.ts';
import type { KubeletRoute } from '../types.ts';

export interface PodListDeps {
  readonly source: PodSource;
  readonly runtime: Pick<Runtime, 'observeAll'>;
}

const podList = (items: readonly Pod[]): object => ({
  kind: 'PodList',
  apiVersion: 'v1',
  metadata: {},
  items,
});

/** As much of a pod as the runtime knows; undefined if nothing of it runs. */
function runningPod({ uid, namespace, name, containers }: PodObserved): Pod | undefined {
  const running = containers.filter(({ state }) => state.kind === 'running');
  if (running.length === 0) return undefined;
  return {
    metadata: { name, namespace, uid },
    spec: { containers: running.map((one) => ({ name: one.name, image: one.image, resources: {} })) },
    status: {},
  };
}

/** `/pods`: those bound to this node, as the API server knows them; `/runningpods`: those that the runtime runs. */
export function podListRoutes({ source, runtime }: PodListDeps): readonly KubeletRoute[] {
  return [
    {
      kind: 'answer',
      methods: ['GET'],
      path: '/pods',
      handle: async () => jsonAnswer(podList(source.list('pods'))),
    },
    {
      kind: 'answer',
      methods: ['GET'],
      path: '/runningpods',
      handle: async ({ signal }) => {
        const all = await runtime.observeAll(signal);
        return jsonAnswer(podList(all.map(runningPod).filter((pod) => pod !== undefined)));
      },
    },
  ];
}
