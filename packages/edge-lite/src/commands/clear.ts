import { rm } from 'node:fs/promises';
import type { Runtime } from '../runtime/index.ts';

/** Containers that take longer to end are killed. */
const maxGraceSeconds = 30;
/** Of one that was made before its pod said how long it may take. */
const defaultGraceSeconds = 2;

export interface ClearOptions {
  /** The folder of the pods' files. */
  readonly pods: string;
  /** The CNI configuration, if it is ours. */
  readonly networkFile: string | undefined;
}

export interface ClearDeps {
  readonly runtime: Pick<
    Runtime,
    'observeAll' | 'stopContainer' | 'removeContainer' | 'stopSandbox' | 'removeSandbox'
  >;
  readonly logs: { uids(): Promise<readonly string[]>; removePod(uid: string): Promise<void> };
  /** Unmounts what is mounted in a folder and deletes it. */
  readonly removeFolder: (path: string, signal: AbortSignal) => Promise<void>;
  readonly removeCgroups: (signal: AbortSignal) => Promise<void>;
}

/** What was there. */
export interface Cleared {
  readonly pods: number;
  readonly containers: number;
}

/**
 * Ends the pods of this node and takes away all that they have on the machine: containers, sandboxes with their network,
 * volumes, logs, cgroups; then the CNI configuration. Nobody may start pods meanwhile. What was done before is passed over, so
 * it can be called again after it failed half-way.
 */
export async function clearPods(
  { pods: folder, networkFile }: ClearOptions,
  { runtime, logs, removeFolder, removeCgroups }: ClearDeps,
  signal: AbortSignal,
): Promise<Cleared> {
  const pods = await runtime.observeAll(signal);
  const containers = pods.flatMap((pod) => pod.containers);
  await Promise.all(
    containers.map(async ({ id, graceSeconds = defaultGraceSeconds }) => {
      await runtime.stopContainer({ id, graceSeconds: Math.min(graceSeconds, maxGraceSeconds) }, signal);
      await runtime.removeContainer(id, signal);
    }),
  );
  await Promise.all(
    pods.flatMap(({ sandboxes }) =>
      sandboxes.map(async ({ id }) => {
        await runtime.stopSandbox(id, signal);
        await runtime.removeSandbox(id, signal);
      }),
    ),
  );
  await removeFolder(folder, signal);
  for (const uid of await logs.uids()) await logs.removePod(uid);
  await removeCgroups(signal);
  // The plugins have needed it until now.
  if (networkFile !== undefined) await rm(networkFile, { force: true });
  return { pods: pods.length, containers: containers.length };
}
