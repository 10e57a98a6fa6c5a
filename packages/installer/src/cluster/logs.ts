import { hasCode, messageOf } from '@selvedge/kit';
import { type KubeClient, resourcePath, resources } from '@selvedge/kube';
import type { PodSight } from './pods.ts';

const requestTimeoutMs = 10_000;

/** The way of the API server to the kubelet of a node. */
export type LogsSight =
  | { readonly kind: 'read' }
  /** Nothing runs there that has a log, or one may not read it. */
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'unreadable'; readonly why: string };

/** The pods on whose log a look says something: those in service first. */
function candidates(
  pods: readonly PodSight[],
): readonly { readonly pod: PodSight; readonly container: string }[] {
  return pods
    .filter(({ isDeleted, isOver }) => !isDeleted && !isOver)
    .toSorted((a, b) => Number(b.isReady) - Number(a.isReady))
    .flatMap((pod) => {
      const running = pod.containers.find(({ isRunning }) => isRunning);
      return running === undefined ? [] : [{ pod, container: running.name }];
    });
}

/** Reads a line of the log of one of the pods, as `kubectl logs` does. */
export async function lookAtLogs(
  client: Pick<KubeClient, 'raw'>,
  pods: readonly PodSight[],
  signal: AbortSignal,
): Promise<LogsSight> {
  const [first] = candidates(pods);
  if (first === undefined) return { kind: 'unknown', why: 'no pods run there' };
  const { namespace, name } = first.pod;
  const path = resourcePath(resources.pods, { namespace, name, subresource: 'log' });
  const query = { container: first.container, tailLines: 1, limitBytes: 1_024 };
  try {
    await client.raw({ method: 'GET', path, query, accept: '*/*', timeoutMs: requestTimeoutMs, signal });
    return { kind: 'read' };
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, 'Forbidden')) return { kind: 'unknown', why: 'not allowed to read logs' };
    return { kind: 'unreadable', why: `the log of ${namespace}/${name}: ${messageOf(error)}` };
  }
}
