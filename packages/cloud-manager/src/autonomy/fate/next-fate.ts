import type { AutonomousReason, Facts, Fate, Peers } from './types.ts';

export interface FateOptions {
  /** For how long a peer that is known to witness may say nothing before its silence counts, in milliseconds. */
  readonly silenceMs: number;
}

type Undated = Fate extends infer F ? (F extends Fate ? Omit<F, 'since'> : never) : never;

const connected: Undated = { kind: 'Connected', reason: 'LeaseRenewed' };
const expired = (reason: (Fate & { kind: 'Expired' })['reason']): Undated => ({ kind: 'Expired', reason });

/** What peers say. Who saw it alive is believed before who saw it dead: one may see what another cannot. */
function testified(peers: Peers): Undated | undefined {
  if (peers.kind !== 'connected') return undefined;
  if (peers.alive.length > 0) return { kind: 'Vouched', reason: 'SeenAlive', by: peers.alive };
  return peers.dead.length > 0 ? { kind: 'Dead', reason: 'SeenDead', by: peers.dead } : undefined;
}

function cutBecause(peers: Peers): AutonomousReason {
  if (peers.kind === 'none') return 'NoUnit';
  if (peers.kind === 'cut') return 'UnitCut';
  return peers.silentMs === undefined ? 'NoWitness' : 'AwaitingWitness';
}

/** Ended by evidence of life only; a period that was over may be made endless. */
function isFinal(fate: Fate, { policy }: Facts): boolean {
  if (fate.kind === 'Dead') return true;
  if (fate.kind !== 'Expired' || fate.reason === 'AutonomyOff') return false;
  return fate.reason !== 'PeriodOver' || policy.kind !== 'forever';
}

function unattested(fate: Fate, facts: Facts, { silenceMs }: FateOptions): Undated {
  const { policy, peers, now } = facts;
  const since = fate.kind === 'Autonomous' ? fate.since : now;
  if (policy.kind === 'period' && now - since >= policy.ms) return expired('PeriodOver');
  if (peers.kind === 'connected' && Math.min(peers.silentMs ?? 0, now - since) >= silenceMs)
    return expired('NotVouched');
  return { kind: 'Autonomous', reason: cutBecause(peers) };
}

function judged(fate: Fate, facts: Facts, options: FateOptions): Undated {
  if (!facts.isCut) return connected;
  if (facts.policy.kind === 'off') return fate.reason === 'NeverConnected' ? fate : expired('AutonomyOff');
  const evidence = testified(facts.peers);
  if (evidence !== undefined) return evidence;
  return isFinal(fate, facts) ? fate : unattested(fate, facts, options);
}

/**
 * What the node is now. The only place where a fate changes.
 *
 * - The node's own renewals outweigh everything: with them it is Connected, whatever was said or seen before.
 * - Dead needs a peer that says so; no silence, of nobody and however long, makes a node Dead.
 * - Vouched as long as a peer vouches. The period of autonomy counts from the last evidence of life.
 * - Where a peer that is known to witness could have vouched and did not, the node is not held any longer: stock life cycle.
 *   Whoever was seen alive until now has its peers asked for all of that time: the last vouch lapses while its witness is
 *   taken for connected, also where both have just been cut.
 */
export function nextFate(fate: Fate, facts: Facts, options: FateOptions): Fate {
  const next = judged(fate, facts, options);
  return { ...next, since: next.kind === fate.kind ? fate.since : facts.now };
}

/** Whether the cloud renews the node's Lease on its behalf. */
export const isHeld = ({ kind }: Fate): boolean => kind === 'Vouched' || kind === 'Autonomous';

/** Whether its pods outlast taints for the period of autonomy. */
export const keepsPods = ({ kind }: Fate): boolean => kind !== 'Expired' && kind !== 'Dead';
