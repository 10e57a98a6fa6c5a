import { SelvedgeError } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';
import type { ObjectSource } from '../pods/index.ts';
import { type ContainerRecord, type PodObserved, type Runtime, latest } from '../runtime/index.ts';

/** A pod as a path names it; the uid is in old paths only. */
export interface PodName {
  readonly namespace: string;
  readonly pod: string;
  readonly uid?: string | undefined;
}

export type PodSource = Pick<ObjectSource, 'list'>;

const notFound = (message: string): SelvedgeError => new SelvedgeError(message, { code: 'NotFound' });

/** The pod of this node with the name, and the uid if one is given. Throws `NotFound` in the kubelet's words. */
export function findPod(source: PodSource, { namespace, pod: name, uid }: PodName): Pod {
  const pod = source.list('pods', namespace).find(({ metadata }) => metadata.name === name);
  if (pod === undefined) throw notFound('pod does not exist');
  if (uid !== undefined && pod.metadata.uid !== uid) throw notFound('pod not found');
  return pod;
}

/** What the runtime holds of a pod. */
export async function observed(
  runtime: Pick<Runtime, 'observe'>,
  { metadata: { uid = '', namespace = '', name = '' } }: Pod,
  signal: AbortSignal,
): Promise<PodObserved> {
  return runtime.observe({ uid, namespace, name }, signal);
}

type ContainerSpec = NonNullable<Pod['spec']>['containers'][number];

/** Ordinary, init or ephemeral; undefined if the pod has none of that name. */
export function containerSpec({ spec }: Pod, name: string): Pick<ContainerSpec, 'name' | 'tty'> | undefined {
  const all = [spec?.containers, spec?.initContainers, spec?.ephemeralContainers].flatMap(
    (some) => some ?? [],
  );
  return all.find((container) => container.name === name);
}

/** The instance of a container that runs now. Throws `NotFound` in the kubelet's words. */
export function runningContainer(pod: PodObserved, name: string): ContainerRecord {
  const container = latest(pod, name);
  if (container?.state.kind === 'running') return container;
  throw notFound(`container not found (${JSON.stringify(name)})`);
}
