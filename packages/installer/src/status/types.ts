import type { EdgeUnitCounts, NodeState } from '@selvedge/api';
import type { KubeClient } from '@selvedge/kube';
import type { CloudStatus } from '../cloud/index.ts';
import type { NodeChoice } from '../cluster/index.ts';
import type { CommandContext } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';

export interface StatusOptions {
  /** Which nodes. Default: all. */
  readonly choice?: NodeChoice;
}

export interface StatusDeps extends CommandContext {
  readonly cluster: KubeClient;
  /** The way to machines. Undefined: only what the API server tells is told. */
  readonly hosts?: Hosts | undefined;
}

/** Plain JSON. */
export interface StatusResult {
  /** `host:port` of the API server. */
  readonly server: string;
  /** Why it could not be asked; then only named machines are told of. */
  readonly away?: string | undefined;
  readonly cloud: CloudStatus;
  readonly units: readonly UnitStatus[];
  readonly nodes: readonly NodeStatus[];
}

export interface UnitStatus {
  readonly name: string;
  /** As its EdgeUnit says; undefined: cloud-manager has not looked at it yet. */
  readonly counts?: EdgeUnitCounts | undefined;
}

/**
 * `stock`: nothing of ours; `converted`: its kubelet talks to a hub; `lite`: edge-lite runs its pods; `half-done`: a run on its
 * machine was interrupted; `damaged`: its journal cannot be believed; `unknown`: neither the API server nor the machine said.
 */
export type NodeKind = 'stock' | 'converted' | 'lite' | 'half-done' | 'damaged' | 'unknown';

export interface NodeStatus {
  readonly name: string;
  readonly kind: NodeKind;
  readonly unit?: string | undefined;
  /** As the API server says; undefined: it could not be asked. */
  readonly ready?: boolean | undefined;
  /** What the cloud takes it for. */
  readonly state?: NodeState | undefined;
  readonly banned: boolean;
  readonly hub?: HubStatus | undefined;
  /** Live tunnel sessions by which the cloud reaches it. */
  readonly sessions: number;
  readonly versions: { readonly kubelet?: string | undefined; readonly edgeLite?: string | undefined };
  /** Only with a way to machines. */
  readonly machine?: MachineStatus | undefined;
}

/** What a hub says of itself in its Node's condition `selvedge.io/CloudReachable`. */
export interface HubStatus {
  readonly reachesCloud: boolean;
  /** RFC 3339; empty if it does not say. */
  readonly since: string;
  readonly message: string;
}

export type MachineStatus =
  | { readonly kind: 'closed'; readonly why: string }
  | {
      readonly kind: 'seen';
      /** `kubeadm`, `k3s agent`; undefined: not recognized. */
      readonly layout?: string | undefined;
      /** What systemd says of edge-lite: `active`, `failed`; undefined: there is no such unit. */
      readonly edgeLite?: string | undefined;
      readonly journal: JournalStatus;
    };

export interface JournalStatus {
  readonly state: 'none' | 'begun' | 'done' | 'undone' | 'damaged';
  /** For people: what is known, also of a damaged one. */
  readonly what: string;
}
