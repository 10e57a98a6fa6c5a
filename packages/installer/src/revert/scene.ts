import { SelvedgeError, createLimiter, hasCode } from '@selvedge/kit';
import {
  type ClusterClient,
  type ClusterNode,
  listNodes,
  listTraces,
  selectNodes,
} from '../cluster/index.ts';
import { joinCommand } from '../session/index.ts';
import { limits } from '../limits.ts';
import type { RevertEngineDeps } from './engine.ts';
import { type Found, lookAtMachine } from './machine.ts';
import type { FoundNode } from './plan.ts';
import type { RevertOptions } from './types.ts';

type SceneNode = Pick<ClusterNode, 'name' | 'addresses' | 'unit'> & Partial<Pick<ClusterNode, 'isLite'>>;

/** What a revert has before it. */
export interface Scene {
  /** undefined: out of reach. */
  readonly cluster: ClusterClient | undefined;
  readonly nodes: readonly SceneNode[];
  readonly traces: ReadonlySet<string>;
  /** Nodes were chosen: the cloud's part stays. */
  readonly isPartial: boolean;
}

function offlineScene({ nodes = [] }: RevertOptions, cause?: unknown): Scene {
  const missing = nodes.filter(({ address }) => address === undefined);
  if (nodes.length === 0 || missing.length > 0) {
    throw new SelvedgeError('the addresses of the machines are not known without the cloud', {
      code: cause === undefined ? 'Invalid' : 'Unavailable',
      hint: 'use --offline --nodes NAME=ADDRESS,…',
      cause,
    });
  }
  const machines = nodes.map(({ name, address }) => ({
    name,
    addresses: address === undefined ? [] : [address],
  }));
  return { cluster: undefined, nodes: machines, traces: new Set(), isPartial: true };
}

/** Whose kubelet may have been changed. */
const mayBeConverted = (node: ClusterNode): boolean => node.role === 'worker' && node.os === 'linux';

async function onlineScene(options: RevertOptions, deps: RevertEngineDeps): Promise<Scene> {
  const { cluster, signal } = deps;
  const all = await listNodes(cluster, signal);
  const traces = await listTraces(cluster, signal);
  const isPartial = (options.nodes ?? []).length > 0 || options.selector !== undefined;
  const chosen = isPartial ? selectNodes(options, all) : all.filter(mayBeConverted);
  return { cluster, nodes: chosen, traces, isPartial };
}

/** Finds the nodes to be taken back. Throws `Invalid` and `Unavailable` where nobody knows them, and as `selectNodes`. */
export async function sceneOf(options: RevertOptions, deps: RevertEngineDeps): Promise<Scene> {
  if (options.offline === true) return offlineScene(options);
  try {
    return await onlineScene(options, deps);
  } catch (error) {
    deps.signal.throwIfAborted();
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded')) throw error;
    deps.progress.note('the API server is unreachable: reverting only the machines');
    return offlineScene(options, error);
  }
}

/** Looks at the machines of a scene. Changes nothing. */
export async function lookAt(
  { nodes, traces, cluster }: Scene,
  deps: RevertEngineDeps,
): Promise<readonly FoundNode[]> {
  const limiter = createLimiter({ capacity: limits.atATime });
  const look = (node: SceneNode): Promise<Found> =>
    node.isLite === true
      ? Promise.resolve({ kind: 'other', command: joinCommand })
      : lookAtMachine(node, { ...deps, isOffline: cluster === undefined }, deps.signal);
  return await deps.progress.task(
    `inspect ${nodes.length === 1 ? '1 machine' : `${nodes.length} machines`}`,
    () =>
      Promise.all(
        nodes.map((node) =>
          limiter.run(deps.signal, async () => ({
            node,
            found: await look(node),
            hasTraces: traces.has(node.name),
          })),
        ),
      ),
  );
}
