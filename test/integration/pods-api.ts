import type { Pod, PodSpec, PodStatus } from '@selvedge/kube/types';
import type {
  Lookup,
  ObjectRef,
  ObjectSource,
  PodEvent,
  PodRef,
  SourceObjects,
  SourceResource,
} from '../../packages/edge-lite/src/pods/ports.ts';

/** The API as an engine without a control plane sees it: objects in memory, and what was reported of them. */
export class MemoryApi implements ObjectSource {
  readonly statuses = new Map<string, PodStatus>();
  readonly terminated = new Map<string, PodStatus>();
  readonly events: (PodEvent & { readonly pod: string })[] = [];
  readonly #pods = new Map<string, Pod>();
  readonly #listeners = new Set<(ref: ObjectRef) => void>();
  #uids = 0;

  readonly get = <T>(ref: ObjectRef): Lookup<T> => {
    const pod: unknown = ref.resource === 'pods' ? this.#pods.get(ref.name) : undefined;
    return pod === undefined ? { kind: 'absent' } : { kind: 'present', object: pod as T };
  };

  readonly list = <R extends SourceResource>(resource: R): readonly SourceObjects[R][] => {
    const pods: readonly unknown[] = resource === 'pods' ? [...this.#pods.values()] : [];
    return pods as readonly SourceObjects[R][];
  };

  synced(): boolean {
    return true;
  }

  subscribe(resource: string, changed: (ref: ObjectRef) => void): Disposable {
    if (resource === 'pods') this.#listeners.add(changed);
    return { [Symbol.dispose]: () => void this.#listeners.delete(changed) };
  }

  follow(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  put(_ref: PodRef, status: PodStatus): void {
    this.statuses.set(_ref.uid, status);
  }

  /** As the API server: the object goes when its containers are gone. */
  terminatedPod(ref: PodRef, status: PodStatus): void {
    this.statuses.set(ref.uid, status);
    this.terminated.set(ref.uid, status);
    this.forget(ref.name);
  }

  create(name: string, spec: Partial<PodSpec>): Pod {
    this.#uids += 1;
    const uid = `uid-${name}-${process.pid}-${this.#uids}`;
    const creationTimestamp = new Date().toISOString();
    const pod: Pod = {
      metadata: { name, namespace: 'default', uid, generation: 1, creationTimestamp },
      spec: { containers: [], restartPolicy: 'Always', terminationGracePeriodSeconds: 1, ...spec },
    };
    this.set(pod);
    return pod;
  }

  set(pod: Pod): void {
    this.#pods.set(pod.metadata.name ?? '', pod);
    this.#tell(pod.metadata.name ?? '');
  }

  delete(name: string, graceSeconds = 1): void {
    const pod = this.#pods.get(name);
    if (pod === undefined) return;
    const deletionTimestamp = new Date(Date.now() + graceSeconds * 1000).toISOString();
    this.set({
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds },
    });
  }

  forget(name: string): void {
    this.#pods.delete(name);
    this.#tell(name);
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener({ resource: 'pods', namespace: 'default', name });
  }
}
