import type { KubeClient } from '@selvedge/kube';
import { isMarkedAsMade } from '../objects/metadata.ts';
import { contentOf, hashOfContent } from './content.ts';
import { liveAt } from './live-at.ts';
import type { InventoryEntry } from './types.ts';

/** What became of an entry whose write was not seen to end; undefined: nothing. */
async function settled(
  entry: InventoryEntry,
  cluster: Pick<KubeClient, 'get'>,
  signal: AbortSignal,
): Promise<InventoryEntry | undefined> {
  const isOpen =
    (entry.kind === 'made' && entry.uid === undefined) ||
    (entry.kind === 'changed' && entry.after === undefined);
  if (!isOpen) return entry;
  const live = await liveAt(entry.place, { cluster, signal });
  if (live === undefined) return undefined;
  if (entry.kind === 'made') {
    return isMarkedAsMade(live) ? { ...entry, uid: live.metadata.uid } : undefined;
  }
  const after = hashOfContent(contentOf(live));
  return after === hashOfContent(entry.before) ? undefined : { ...entry, after };
}

/** The entries as they are, now that a run before was interrupted: what was announced and not done is left out. */
export async function settleEntries(
  entries: readonly InventoryEntry[],
  cluster: Pick<KubeClient, 'get'>,
  signal: AbortSignal,
): Promise<readonly InventoryEntry[]> {
  const all = await Promise.all(entries.map((entry) => settled(entry, cluster, signal)));
  return all.filter((entry) => entry !== undefined);
}
