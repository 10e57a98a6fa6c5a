import type { ClusterRoleBinding, NodeSystemInfo } from '@selvedge/kube/types';
import type { CloudStatus } from '../cloud/index.ts';
import type { ClusterNode } from '../cluster/index.ts';
import type { NodeFacts } from '../facts/index.ts';
import type { Recognition } from '../layouts/index.ts';
import type { Right, Unread } from '../reading/index.ts';

/** All that rules judge. Times are milliseconds since 1970. */
export interface CheckFacts {
  readonly cluster: ClusterFacts;
  readonly nodes: readonly CheckedNode[];
}

/** What the person may not read is in `unread`; from what is not there for that, nothing follows. */
export interface ClusterFacts {
  /** `v1.36.3`. */
  readonly version: string;
  /** The API server's clock. */
  readonly nowMs: number;
  /** How far the clock of this computer is ahead of it. */
  readonly ownAheadMs: number;
  readonly unread: readonly Unread[];
  readonly missingRights: readonly Right[];
  /** Those that run as pods; none: the control plane is hosted, or no pods; undefined: pods may not be read. */
  readonly apiServers: readonly ApiServer[] | undefined;
  readonly bindings: readonly ClusterRoleBinding[];
  /** Whether certificates that nodes renew are signed; undefined: it may not be seen. */
  readonly nodesRenew: boolean | undefined;
  /** Whether our admission decides who may join; undefined: it may not be seen. */
  readonly guardsJoining: boolean | undefined;
  /** As the configuration of its pods says; undefined: there is no DaemonSet of it; empty: it may not be seen. */
  readonly kubeProxyMode: string | undefined;
  readonly dns: DnsFacts;
  /** Other systems for the edge, by what gives them away. */
  readonly otherSystems: readonly string[];
  /** PEM of who signed the API servers' certificates, as pods are told. */
  readonly ca: string | undefined;
  readonly budgets: readonly Budget[];
  readonly cloud: CloudStatus;
  /** Addresses of the balancer before cloud-manager to which kube-proxy, on any node, leads past it. */
  readonly caughtAddresses: readonly string[];
}

export interface ApiServer {
  /** The machine that it runs on. */
  readonly node: string;
  /** Without the dashes: `authorization-mode`. */
  readonly flags: Readonly<Record<string, string>>;
}

export interface DnsFacts {
  /** Whether there is a Corefile that a zone can be added to; undefined: it may not be seen. */
  readonly coreDns: boolean | undefined;
  /** Nodes with a ready pod of the cluster's DNS; undefined: pods may not be read. */
  readonly nodes: readonly string[] | undefined;
}

/** A PodDisruptionBudget that allows none now. */
export interface Budget {
  readonly namespace: string;
  readonly name: string;
}

export interface CheckedNode {
  readonly node: ClusterNode;
  readonly info: NodeSystemInfo;
  /** The port of the kubelet's API. */
  readonly kubeletPort: number;
  /** By the node's own clock; 0: it has no Lease. */
  readonly leaseRenewedMs: number;
  /** `namespace/name` of pods that nobody makes anew. */
  readonly barePods: readonly string[];
  readonly machine: MachineSight;
}

export type MachineSight =
  | { readonly kind: 'unseen' }
  | { readonly kind: 'closed'; readonly why: string; readonly hint: string }
  | SeenMachine;

export interface SeenMachine {
  readonly kind: 'seen';
  readonly facts: NodeFacts;
  readonly recognition: Recognition;
  /** How far its clock is ahead of this computer's. */
  readonly aheadMs: number;
  readonly reached: readonly Reach[];
}

/** Whether the machine reaches `host:port`. */
export interface Reach {
  readonly target: string;
  readonly what: 'API server' | 'tunnel server';
  /** `refused`: something answers there, and nobody listens. `not known`: the machine has nothing that opens a connection. */
  readonly kind: 'reached' | 'refused' | 'not reached' | 'not known';
}
