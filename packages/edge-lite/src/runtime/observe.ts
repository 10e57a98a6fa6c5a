import {
  ContainerFilter,
  ContainerState as CriState,
  PodSandboxFilter,
  PodSandboxState,
  message,
  type Container,
  type PodSandbox,
} from '@selvedge/containerd-grpc-types';
import { BoundedMap, hasCode } from '@selvedge/kit';

import { toContainerRecord, toSandboxRecord } from './convert.ts';
import type { Cri } from './cri.ts';
import { labels } from './labels.ts';
import type { ContainerRecord, PodObserved, SandboxRecord } from './records.ts';
import { terminationMessage, type ReadTail } from './termination.ts';

export interface ObserverOptions {
  /** How many sandbox and container records are remembered, to ask only about those that changed. */
  readonly maxRecords: number;
}

/** The ids and states of what the runtime holds: cheap to get, and enough to see that something changed. */
export interface Listing {
  readonly sandboxes: readonly PodSandbox[];
  readonly containers: readonly Container[];
}

export interface Observer {
  /** Lists one pod, or all pods. */
  list(uid: string | undefined, signal: AbortSignal): Promise<Listing>;
  /** Everything known of the listed pods. What vanished meanwhile is left out. */
  describe(listing: Listing, signal: AbortSignal): Promise<readonly PodObserved[]>;
}

/** A record never changes while its id and state stay the same, so it is asked for once. */
interface Remembered<R> {
  readonly state: number;
  readonly record: R;
}

interface Listed {
  readonly id: string;
  readonly state: number;
}

/** Asks through `ask` unless the answer for this id and state is remembered; `undefined` if it is gone. */
function remembering<L extends Listed, R>(
  options: {
    readonly memory: BoundedMap<string, Remembered<R>>;
    readonly settled: (listed: L, record: R) => boolean;
  },
  ask: (listed: L, signal: AbortSignal) => Promise<R | undefined>,
): (listed: L, signal: AbortSignal) => Promise<R | undefined> {
  return async (listed, signal) => {
    const known = options.memory.get(listed.id);
    if (known?.state === listed.state) return known.record;
    try {
      const record = await ask(listed, signal);
      if (record !== undefined && options.settled(listed, record)) {
        options.memory.set(listed.id, { state: listed.state, record });
      }
      return record;
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }
  };
}

const newestFirst = (a: { readonly createdAtMs: number }, b: { readonly createdAtMs: number }): number =>
  b.createdAtMs - a.createdAtMs;

const stateNames: Readonly<Record<number, string>> = {
  [CriState.CONTAINER_CREATED]: 'created',
  [CriState.CONTAINER_RUNNING]: 'running',
  [CriState.CONTAINER_EXITED]: 'exited',
  [CriState.CONTAINER_UNKNOWN]: 'unknown',
};

function createReaders(cri: Cri, readTail: ReadTail, maxRecords: number) {
  const sandbox = remembering<PodSandbox, SandboxRecord>(
    {
      memory: new BoundedMap({ capacity: maxRecords }),
      settled: (listed, record) =>
        (record.state === 'ready') === (listed.state === PodSandboxState.SANDBOX_READY),
    },
    async ({ id }, signal) => {
      const { status } = await cri.runtime.podSandboxStatus({ podSandboxId: id, verbose: false }, { signal });
      return status === undefined ? undefined : toSandboxRecord(status);
    },
  );
  const container = remembering<Container, ContainerRecord>(
    {
      memory: new BoundedMap({ capacity: maxRecords }),
      settled: (listed, record) => record.state.kind === stateNames[listed.state],
    },
    async ({ id, podSandboxId }, signal) => {
      const { status } = await cri.runtime.containerStatus({ containerId: id, verbose: false }, { signal });
      if (status === undefined) return undefined;
      const ended = status.state === CriState.CONTAINER_EXITED;
      const left = ended ? await terminationMessage(status, readTail) : '';
      return toContainerRecord(status, { sandboxId: podSandboxId, terminationMessage: left });
    },
  );
  return { sandbox, container };
}

/** The labels of each pod in the listing, by uid. What carries no pod uid is not ours. */
function podsOf(listing: Listing): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const pods = new Map<string, Readonly<Record<string, string>>>();
  for (const held of [...listing.containers, ...listing.sandboxes]) {
    const uid = held.labels[labels.podUid];
    if (uid !== undefined && uid !== '') pods.set(uid, held.labels);
  }
  return pods;
}

function present<R>(records: readonly (R | undefined)[]): readonly R[] {
  return records.filter((record) => record !== undefined);
}

/** Reads sandboxes and containers into records. */
export function createObserver(
  options: ObserverOptions,
  deps: { readonly cri: Cri; readonly readTail: ReadTail },
): Observer {
  const { cri } = deps;
  const read = createReaders(cri, deps.readTail, options.maxRecords);
  return {
    async list(uid, signal) {
      const labelSelector = uid === undefined ? {} : { [labels.podUid]: uid };
      const [{ items }, { containers }] = await Promise.all([
        cri.runtime.listPodSandbox({ filter: message(PodSandboxFilter, { labelSelector }) }, { signal }),
        cri.runtime.listContainers({ filter: message(ContainerFilter, { labelSelector }) }, { signal }),
      ]);
      return { sandboxes: items, containers };
    },
    describe: (listing, signal) =>
      Promise.all(
        [...podsOf(listing)].map(async ([uid, of]) => {
          const mine = (held: { readonly labels: Readonly<Record<string, string>> }): boolean =>
            held.labels[labels.podUid] === uid;
          const [sandboxes, containers] = await Promise.all([
            Promise.all(listing.sandboxes.filter(mine).map((listed) => read.sandbox(listed, signal))),
            Promise.all(listing.containers.filter(mine).map((listed) => read.container(listed, signal))),
          ]);
          return {
            uid,
            namespace: of[labels.podNamespace] ?? '',
            name: of[labels.podName] ?? '',
            sandboxes: present(sandboxes).toSorted(newestFirst),
            containers: present(containers).toSorted(newestFirst),
          };
        }),
      ),
  };
}
