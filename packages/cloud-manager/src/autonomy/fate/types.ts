import type { Autonomy } from '@selvedge/api';

/** Why a node is taken for what it is; `EdgeNode.status.reason`. */
export type ExpiredReason =
  /** Nobody saw it alive for the period of autonomy. */
  | 'PeriodOver'
  /** Peers that are known to witness could have seen it alive, and did not say so. */
  | 'NotVouched'
  /** It was given up before anybody here had seen it alive. */
  | 'NeverConnected'
  /** Its policy is `off`. */
  | 'AutonomyOff';

export type AutonomousReason =
  /** No other member of its unit is connected. */
  | 'UnitCut'
  /** It belongs to no unit: a cut cannot be told from a crash. */
  | 'NoUnit'
  /** Others are connected, none of which is known to witness. */
  | 'NoWitness'
  /** Others are connected and may yet say what they see. */
  | 'AwaitingWitness';

/** What the cloud takes a node for. `since`: milliseconds since the Unix epoch, by the manager's clock. */
export type Fate =
  | { readonly kind: 'Connected'; readonly since: number; readonly reason: 'LeaseRenewed' }
  | {
      readonly kind: 'Vouched';
      readonly since: number;
      readonly reason: 'SeenAlive';
      readonly by: readonly string[];
    }
  | { readonly kind: 'Autonomous'; readonly since: number; readonly reason: AutonomousReason }
  | { readonly kind: 'Expired'; readonly since: number; readonly reason: ExpiredReason }
  | {
      readonly kind: 'Dead';
      readonly since: number;
      readonly reason: 'SeenDead';
      readonly by: readonly string[];
    };

/** What the other members of a node's unit are and say. */
export type Peers =
  /** It belongs to no unit, or is alone in it. */
  | { readonly kind: 'none' }
  /** There are some, and none is connected. */
  | { readonly kind: 'cut' }
  | {
      readonly kind: 'connected';
      /** Those that said lately that its kubelet is alive. */
      readonly alive: readonly string[];
      /** Those that said lately that its kubelet is dead. */
      readonly dead: readonly string[];
      /** For how long one that is known to witness could have said something and did not; undefined: there is none. */
      readonly silentMs: number | undefined;
    };

export interface Facts {
  /** Wall time in milliseconds. */
  readonly now: number;
  /** Nobody but the node itself renews this: its Lease went unrenewed by it for the grace period. */
  readonly isCut: boolean;
  readonly policy: Autonomy;
  readonly peers: Peers;
}
