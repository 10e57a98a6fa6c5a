import { labels } from './labels.ts';
import type { Listing } from './observe.ts';

/** For each pod uid, a text that changes whenever one of its sandboxes or containers does. */
export type Fingerprints = ReadonlyMap<string, string>;

export function fingerprints(listing: Listing): Fingerprints {
  const parts = new Map<string, string[]>();
  for (const held of [...listing.sandboxes, ...listing.containers]) {
    const uid = held.labels[labels.podUid];
    if (uid === undefined || uid === '') continue;
    const of = parts.get(uid) ?? [];
    of.push(`${held.id}=${held.state}`);
    parts.set(uid, of);
  }
  return new Map([...parts].map(([uid, of]) => [uid, of.toSorted().join(' ')]));
}

/** The pods that appeared, vanished or changed. */
export function changedPods(before: Fingerprints, after: Fingerprints): readonly string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all].filter((uid) => before.get(uid) !== after.get(uid));
}

export interface RelistPace {
  /** While things change, in milliseconds. The kubelet: 1 s. */
  readonly busyMs: number;
  /** After `quietRounds` rounds without a change. */
  readonly quietMs: number;
  readonly quietRounds: number;
  /** While the runtime tells by itself what happens. */
  readonly evidentMs: number;
}

export function relistDelayMs(
  pace: RelistPace,
  now: { readonly quiet: number; readonly streaming: boolean },
): number {
  if (now.streaming) return pace.evidentMs;
  return now.quiet < pace.quietRounds ? pace.busyMs : pace.quietMs;
}
