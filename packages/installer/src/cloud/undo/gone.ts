import { SelvedgeError, hasCode, messageOf } from '@selvedge/kit';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { Machine } from '../../host/index.ts';
import type { InventoryEntry } from '../inventory/index.ts';
import { machineOf } from '../look-machines.ts';
import { undoOn } from '../machine/run.ts';
import type { CloudDeps } from '../types.ts';

type MachineEntry = Extract<InventoryEntry, { kind: 'machine' }>;
type LookDeps = { readonly cluster: Pick<KubeClient, 'get'>; readonly signal: AbortSignal };

/** A control plane as its Node has it now; undefined: it was removed from the cluster since, there is no Node of that name. */
export async function machineNow(name: string, { cluster, signal }: LookDeps): Promise<Machine | undefined> {
  const node = await ifFound(cluster.get(resources.nodes, { name }, { signal }));
  return node && machineOf(node);
}

/** Those of the machines with something of ours that were removed from the cluster since, by name. */
export async function goneAmong(
  entries: readonly InventoryEntry[],
  deps: LookDeps,
): Promise<readonly string[]> {
  const names = new Set(entries.flatMap((one) => (one.kind === 'machine' ? [one.name] : [])));
  const found = [...names].map(async (name) => ((await machineNow(name, deps)) === undefined ? [name] : []));
  return (await Promise.all(found)).flat();
}

/** The error, with what helps if a machine, or its API server, does not answer since it is somewhere else or gone for good. */
export function orGone(name: string, error: unknown): unknown {
  if (!hasCode(error, 'Unavailable', 'DeadlineExceeded')) return error;
  const { code, message, hint } = error;
  const help = `if ${name} is at another address: the same command with --address ${name}=ADDRESS; if ${name} is gone for good: kubectl delete node ${name}, then the same command again`;
  return new SelvedgeError(message, {
    code,
    cause: error,
    hint: hint === undefined ? help : `${hint}; ${help}`,
  });
}

/**
 * Takes a phase back on a machine that was removed from the cluster, if that can be: it may be switched off for good, set up anew, or
 * another one by now, and holds nothing up. Its API server is not waited for. Why it stays, for people; undefined: nothing does.
 */
export async function undoOnGone(
  { phase, name, addresses }: MachineEntry,
  deps: CloudDeps,
): Promise<string | undefined> {
  try {
    await undoOn({ machine: { name, addresses }, phase }, deps);
    return undefined;
  } catch (error) {
    deps.signal.throwIfAborted();
    if (!(error instanceof SelvedgeError)) throw error;
    // At that address there may be another machine, which is not to be reverted.
    const address = hasCode(error, 'Conflict') ? undefined : addresses[0];
    return `${name} is not in the cluster any more, and what is on its machine stays: ${messageOf(error)}; if there still is that machine: selvedge revert --offline --nodes ${name}=${address ?? 'ADDRESS'}`;
  }
}
