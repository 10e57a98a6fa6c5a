import { hasCode, raceAbort, scoped } from '@selvedge/kit';
import { resources, type KubeClient } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';

/** Undefined once the pod is gone. */
type Seen = (pod: Pod | undefined) => boolean;

/** Tells at once when something comes true of a pod: polling would add its own delay to what is measured. */
export interface PodWatcher extends AsyncDisposable {
  /** Resolves when `holds`; call it before what brings it about. */
  until(name: string, holds: Seen): Promise<void>;
}

export async function watchPods(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<PodWatcher> {
  const scope = scoped(signal);
  const waiting = new Map<string, { readonly holds: Seen; readonly resolve: () => void }>();
  const watch = await client.watch(resources.pods, {
    namespace,
    signal: scope.signal,
    timeoutSeconds: 3_600,
  });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const read = async (): Promise<void> => {
    for await (const batch of watch) {
      for (const event of batch) {
        if (event.type === 'BOOKMARK') continue;
        const name = event.object.metadata.name ?? '';
        const wait = waiting.get(name);
        if (wait?.holds(event.type === 'DELETED' ? undefined : event.object) !== true) continue;
        waiting.delete(name);
        wait.resolve();
      }
    }
  };
  const reading = read().catch((error: unknown) => {
    if (!hasCode(error, 'Aborted')) failed.reject(error);
  });
  return {
    async until(name, holds) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(name, { holds, resolve });
      await raceAbort(Promise.race([promise, failed.promise]), scope.signal);
    },
    async [Symbol.asyncDispose]() {
      scope.abort();
      await reading;
    },
  };
}
