import { Bed, connect, imageRefs, processBedDeps } from '@selvedge/bed';
import { bundleOf, bundleProgram } from '@selvedge/hack/programs';
import { scoped } from '@selvedge/kit';
import { resources, type KubeClient } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { useOfTree, type TreeUse } from '../process-tree.ts';
import { watchPods, type PodWatcher } from './watcher.ts';

export const sides = ['lite', 'stock'] as const;
/** edge-lite, or the stock kubelet. The name is the node's, too. */
export type Side = (typeof sides)[number];

const agents: Readonly<Record<Side, string>> = { lite: 'edge-lite', stock: 'kubelet' };

/** Two equal nodes of one bed: the same runtime, images present, one run by edge-lite, one by the stock kubelet. */
export interface Subject extends AsyncDisposable {
  readonly bed: Bed;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly signal: AbortSignal;
  readonly pods: PodWatcher;
  /** What the agent's process tree uses; containerd and shims are not part of it. */
  use(side: Side): Promise<TreeUse>;
  create(pod: Pod): Promise<void>;
  remove(name: string): Promise<void>;
}

const namespace = 'bench';

export const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

/** A pod of one container that does nothing and ends as soon as it is told. */
export function idlePod(name: string, side: Side): Pod {
  return {
    metadata: { name, namespace },
    spec: {
      nodeName: side,
      terminationGracePeriodSeconds: 1,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'main', image: imageRefs.pause, imagePullPolicy: 'IfNotPresent' }],
    },
  };
}

/** Brings up a bed of its own, edge-lite as it is shipped. Disposing of the subject removes it. */
export async function openSubject(): Promise<Subject> {
  await bundleProgram('edge-lite');
  const nodes = [
    { name: 'lite', agent: 'lite', kubeProxy: false },
    { name: 'stock', agent: 'stock', kubeProxy: false },
  ] as const;
  const edgeLite = [process.execPath, bundleOf('edge-lite')] as const;
  const bed = await Bed.up({ name: 'bench', nodes }, { ...processBedDeps(), edgeLite });
  const scope = scoped();
  const { signal } = scope;
  const client = await connect(bed.kubeconfig, 'selvedge-bench');
  await client.create(resources.namespaces, { metadata: { name: namespace } }, { signal });
  await bed.kubectl([
    'wait',
    '--for=create',
    `--namespace=${namespace}`,
    'serviceaccount/default',
    '--timeout=30s',
  ]);
  const pods = await watchPods(client, namespace, signal);
  return {
    bed,
    client,
    namespace,
    signal,
    pods,
    async use(side) {
      const { processes } = await bed.status();
      const agent = processes.find(({ name }) => name === `${agents[side]}.${side}`);
      if (agent === undefined) throw new Error(`the bed has no process ${agents[side]}.${side}`);
      return useOfTree(agent.pid);
    },
    async create(pod) {
      await client.create(resources.pods, pod, { signal });
    },
    remove: (name) => client.delete(resources.pods, { namespace, name }, { signal }),
    async [Symbol.asyncDispose]() {
      await pods[Symbol.asyncDispose]();
      scope.abort();
      await client.close();
      await bed.down();
    },
  };
}
