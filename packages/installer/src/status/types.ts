import type { EdgeUnitCounts, NodeState } from '@selvedge/api';
import type { KubeClient } from '@selvedge/kube';
import type { CloudStatus } from '../cloud/index.ts';
import type { NodeChoice } from '../cluster/index.ts';
import type { CommandContext } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';
import type { Unread } from '../reading/index.ts';

/** What a person chose for `status`. */
export interface StatusOptions {
  /** The nodes to show. Default: all. */
  readonly choice?: NodeChoice;
}

/** What `status` works with. */
export interface StatusDeps extends CommandContext {
  readonly cluster: KubeClient;
  /** The way to machines. Undefined: only the API server is queried. */
  readonly hosts?: Hosts | undefined;
}

/** The result of `status`. Plain JSON: what `selvedge status --json` prints. */
export interface StatusResult {
  /** `host:port` of the API server. */
  readonly server: string;
  /** Why the API server could not be queried; then only the machines that were named are shown. */
  readonly away?: string | undefined;
  readonly cloud: CloudStatus;
  readonly units: readonly UnitStatus[];
  readonly nodes: readonly NodeStatus[];
  /** What is unknown here for want of a right. */
  readonly unread: readonly Unread[];
}

/** The state of a unit. */
export interface UnitStatus {
  readonly name: string;
  /** The counts in the status of its EdgeUnit; undefined: cloud-manager has not reconciled it yet. */
  readonly counts?: EdgeUnitCounts | undefined;
}

/**
 * `stock`: nothing of ours; `converted`: its kubelet talks to a hub; `lite`: edge-lite runs its pods; `half-done`: a run on its
 * machine was interrupted; `damaged`: its journal cannot be believed; `unknown`: neither the API server nor the machine said.
 */
export type NodeKind = 'stock' | 'converted' | 'lite' | 'half-done' | 'damaged' | 'unknown';

/** The state of a node. */
export interface NodeStatus {
  readonly name: string;
  readonly kind: NodeKind;
  readonly unit?: string | undefined;
  /** Whether the Node is Ready; undefined: the API server could not be queried. */
  readonly ready?: boolean | undefined;
  /** The state in the status of its EdgeNode. */
  readonly state?: NodeState | undefined;
  /** Undefined: EdgeNodes may not be read, or the API server could not be queried. */
  readonly banned?: boolean | undefined;
  readonly hub?: HubStatus | undefined;
  /** Live tunnel sessions by which the cloud reaches it; undefined as `banned`. */
  readonly sessions?: number | undefined;
  readonly versions: { readonly kubelet?: string | undefined; readonly edgeLite?: string | undefined };
  /** What its machine says; undefined without a way to machines. */
  readonly machine?: MachineStatus | undefined;
}

/** What a hub says of itself in its Node's condition `selvedge.io/CloudReachable`. */
export interface HubStatus {
  readonly reachesCloud: boolean;
  /** RFC 3339; empty if it does not say. */
  readonly since: string;
  readonly message: string;
}

/** What a machine says of itself, or why it could not be reached. */
export type MachineStatus =
  | { readonly kind: 'closed'; readonly why: string }
  | {
      readonly kind: 'seen';
      /** The recognized layout: `kubeadm`, `k3s agent`; undefined: none. */
      readonly layout?: string | undefined;
      /** The `ActiveState` of the systemd unit of edge-lite: `active`, `failed`; undefined: there is no such unit. */
      readonly edgeLite?: string | undefined;
      readonly journal: JournalStatus;
    };

/** How far the journal on a machine got. */
export interface JournalStatus {
  readonly state: 'none' | 'begun' | 'done' | 'undone' | 'damaged';
  /** A description for people, for a damaged journal of its readable part. */
  readonly what: string;
}
