import type { Peers } from '../fate/index.ts';
import type { Testimonies } from './testimonies.ts';

export interface PeersQuestion {
  readonly node: string;
  /** Of its unit; it may be among them. */
  readonly members: readonly string[];
  readonly isConnected: (member: string) => boolean;
  /** Since when the node itself is cut, in monotonic milliseconds. */
  readonly cutSinceMs: number;
  readonly nowMs: number;
}

/** What the members of a node's unit are and say. Only those are heard that have a link of their own. */
export function peersOf(question: PeersQuestion, testimonies: Testimonies): Peers {
  const { node, isConnected, cutSinceMs, nowMs } = question;
  const others = question.members.filter((member) => member !== node);
  if (others.length === 0) return { kind: 'none' };
  const connected = others.filter(isConnected);
  if (connected.length === 0) return { kind: 'cut' };
  const saying = (what: 'alive' | 'dead'): readonly string[] =>
    connected.filter((member) => testimonies.of(node, member) === what);
  const heardSince = connected
    .map((member) => testimonies.witnessesSinceMs(member))
    .filter((sinceMs) => sinceMs !== undefined);
  const silentMs =
    heardSince.length === 0 ? undefined : nowMs - Math.max(cutSinceMs, Math.min(...heardSince));
  return { kind: 'connected', alive: saying('alive'), dead: saying('dead'), silentMs };
}
