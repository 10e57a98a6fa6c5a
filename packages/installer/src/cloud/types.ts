import type { Clock, Random } from '@selvedge/kit';
import type { HostPort } from '@selvedge/kit/net';
import type { JsonObject, KubeClient, KubeObject } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import type { Architecture, Artifact } from '../artifacts/index.ts';
import type { PlanPart, Progress } from '../command/index.ts';
import type { Hosts, Machine } from '../host/index.ts';
import type { Unread } from '../reading/index.ts';
import type { ZonePlace } from './dns/index.ts';
import type { Inventory, InventoryEntry, Place } from './inventory/index.ts';

/** What a person chose for the cloud side of a conversion. */
export interface CloudOptions {
  /** Where nodes at the edge connect; 1 to 16. The names are in the certificate. */
  readonly tunnelServers: readonly HostPort[];
  /**
   * `deployment`: pods in the cluster. `unit`: a systemd unit beside each API server, with the EgressSelector. `auto`: the unit
   * if all control-plane machines can be entered and are kubeadm's, else the Deployment.
   */
  readonly mode: 'auto' | 'deployment' | 'unit';
  /** False: the cluster's DNS is left alone, and so are metrics of nodes by name. */
  readonly dns: boolean;
  /** Values of charts/selvedge, laid over its own as helm does it (`null` takes a part away). For the Deployment. */
  readonly values: JsonObject;
  /** Names of Nodes that become edge nodes: a Deployment does not run there. Default none. */
  readonly edge?: readonly string[];
}

/** How long the cloud side is waited for, in milliseconds. */
export interface CloudTimeouts {
  /** The limit for cloud-manager to become ready. */
  readonly readyMs: number;
  /** The limit for an API server to become ready again after its manifest was edited; then the edit is undone. */
  readonly apiServerMs: number;
  /** The limit for cloud-manager to undo what it set on nodes and pods, and for what is deleted to be gone. */
  readonly takenBackMs: number;
}

/** The default timeouts. */
export const cloudTimeouts: CloudTimeouts = { readyMs: 180_000, apiServerMs: 300_000, takenBackMs: 600_000 };

/** The part of a release that the cloud side needs: the executable of cloud-manager, for the unit only. */
export interface CloudArtifacts {
  cloudManager(arch: Architecture): Promise<Artifact>;
}

/** What setting up and reverting the cloud side works with. */
export interface CloudDeps {
  readonly cluster: KubeClient;
  readonly hosts: Hosts;
  readonly artifacts: CloudArtifacts;
  readonly progress: Progress;
  /** Told, on the way back, what stays on machines as somebody else made it since. Default: `progress`. */
  readonly onKept?: ((text: string) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** The version of this program. */
  readonly version: string;
  readonly signal: AbortSignal;
  /** How long things are waited for. Default `cloudTimeouts`. */
  readonly timeouts?: CloudTimeouts;
}

/** A machine with an API server that was entered. */
export interface OpenMachine {
  readonly kind: 'open';
  readonly machine: Machine;
  /** Its first InternalIP. */
  readonly address: string;
  readonly arch: Architecture;
  /** The text of /etc/kubernetes/manifests/kube-apiserver.yaml; undefined: it is not kubeadm's. */
  readonly manifest: string | undefined;
  /** The PEM text of /etc/kubernetes/pki/ca.crt. */
  readonly ca: string | undefined;
  /** PEM of what its cloud-manager serves nodes with; undefined: nothing yet. */
  readonly certificate: string | undefined;
  /** Whether certificates can be signed there: by the cluster's CA, with the `openssl` of that machine. */
  readonly signs: boolean;
  readonly ipv6: boolean;
  /** How far runs of ours on that machine are. */
  readonly runs: { readonly [P in MachinePhase]: 'none' | 'begun' | 'done' | 'undone' };
}

/** A machine with an API server. */
export type ControlPlaneMachine =
  | { readonly kind: 'closed'; readonly machine: Machine; readonly why: string }
  | OpenMachine;

/** `manager`: cloud-manager as a unit; `egress`: its API server goes through it. */
export type MachinePhase = 'manager' | 'egress';

/** The current state of an object that we want. */
export interface ObjectSeen {
  readonly live: KubeObject;
  /** What it would be after applying ours. */
  readonly applied: KubeObject;
  /** Fields of others that ours would take over: `spec.replicas of helm`. */
  readonly conflicts: readonly string[];
}

/** The current certificate of the tunnel. */
export interface CertificateSeen {
  /** The certificate with its chain, PEM. */
  readonly pem: string;
  readonly names: readonly string[];
  /** The installer made it; else somebody else did, and it is left alone. */
  readonly isOurs: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The certificate of its CA, PEM. */
  readonly ca: string;
}

/** All that a plan for the cloud depends on. */
export interface CloudSeen {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly version: string;
  readonly controlPlanes: readonly ControlPlaneMachine[];
  /** Those on which a Deployment could run; none are looked at for a unit. */
  readonly nodes: readonly Node[];
  /** Somebody, or we, gave nodes the right to have their certificates renewed. */
  readonly nodesRenew: boolean;
  /** By `placeKey`. */
  readonly objects: ReadonlyMap<string, ObjectSeen>;
  readonly certificate: CertificateSeen | undefined;
  /** As in `CloudTunnel`: of the certificate that is there. */
  readonly tunnelCa: string | undefined;
  readonly zone: ZonePlace;
  readonly inventory: Inventory | undefined;
  /** Addresses of the cluster's ClusterIPs are of this domain, `cluster.local`. */
  readonly clusterDomain: string;
  /** Whether the Deployment, or all units, are ready. */
  readonly ready: boolean;
  /** As in `Hosts`. */
  readonly viaKubelet: boolean;
}

/** One thing that is done in the cloud. */
export type CloudChange =
  | {
      readonly kind: 'object';
      readonly what: 'make' | 'change';
      readonly place: Place;
      readonly object: KubeObject;
      readonly detail: readonly string[];
      /** Fields of others are taken over, which `detail` says. */
      readonly force: boolean;
    }
  | {
      readonly kind: 'certificate';
      /** The name of its Secret. */
      readonly secret: string;
      readonly names: readonly string[];
      readonly signer: CertificateSigner;
      readonly why: string;
    }
  /** The text of our zone, at the end of a key of a ConfigMap. */
  | {
      readonly kind: 'zone';
      readonly zone: ZonePlace & { readonly kind: 'corefile' | 'custom' };
      readonly text: string;
    }
  | {
      readonly kind: 'machine';
      readonly phase: MachinePhase;
      readonly machine: Machine;
      /** It is there already: cloud-manager gets another certificate, or a manifest without the edit of a run before is edited again. */
      readonly renew: boolean;
    }
  /** A Node is marked as one at an edge, where pods of cloud-manager do not stay. */
  | { readonly kind: 'edge'; readonly node: string }
  | { readonly kind: 'ready' }
  /** The inventory says that all was done. */
  | { readonly kind: 'record' };

/** The machine whose `openssl` signs with the cluster's CA, whose key stays there; or an authority of our own. */
export type CertificateSigner =
  | { readonly kind: 'cluster'; readonly machine: Machine }
  | { readonly kind: 'own' };

/** What is going to be done on the cloud side. */
export interface CloudPlan {
  readonly mode: 'deployment' | 'unit';
  readonly options: CloudOptions;
  /** What nodes will be told. In place of an authority that is yet to be made: words for people. */
  readonly tunnel: CloudTunnel;
  readonly controlPlanes: readonly ControlPlaneMachine[];
  /** The changes, in order. Empty: nothing to do. */
  readonly changes: readonly CloudChange[];
  /** Objects of ours that no inventory tells of. */
  readonly adopted: readonly InventoryEntry[];
  /** The changes as people see them. */
  readonly parts: readonly PlanPart[];
  readonly warnings: readonly string[];
  /** What this program cannot do, for people, in words and commands: part of the result. */
  readonly instructions: readonly string[];
}

/** What nodes need to know of the cloud. */
export interface CloudTunnel {
  readonly servers: readonly string[];
  /** PEM, for `modules.tunnel.caFile`; undefined: the cluster's CA signed, which agents trust without being told. */
  readonly ca: string | undefined;
}

/** The result of setting up the cloud side. Plain JSON. */
export interface CloudResult {
  readonly mode: 'deployment' | 'unit';
  readonly changed: number;
  readonly tunnel: CloudTunnel;
  readonly instructions: readonly string[];
}

/** What a person chose for reverting the cloud side. */
export interface CloudUndoOptions {
  /** The definitions and all EdgeUnits, UnitApps and EdgeNodes stay, and what they gave to nodes and pods. */
  readonly keepData: boolean;
}

/** All that a plan for the way back depends on. */
export interface CloudUndoSeen {
  readonly inventory: Inventory | undefined;
  /** Objects of ours that no inventory tells of. */
  readonly adopted: readonly InventoryEntry[];
  /** Machines in the inventory that were removed from the cluster since, by name. */
  readonly gone: readonly string[];
  /** The installer made the namespace of cloud-manager, and nobody is deleting it. */
  readonly isNamespaceOurs: boolean;
  /** What somebody else has in that namespace, which is kept then: `Secret selvedge-system/mine`. */
  readonly strangers: readonly string[];
  /** There is a release of helm. */
  readonly isHelms: boolean;
  /** As in `Hosts`. */
  readonly viaKubelet: boolean;
}

/** What is going to be undone on the cloud side. */
export interface CloudUndoPlan {
  readonly options: CloudUndoOptions;
  /** Objects of ours that no inventory tells of. */
  readonly adopted: readonly InventoryEntry[];
  /** True if there is nothing to do. */
  readonly isDone: boolean;
  readonly parts: readonly PlanPart[];
  readonly warnings: readonly string[];
}

/** A certificate as it is shown. Plain JSON. */
export interface ShownCertificate {
  readonly names: readonly string[];
  /** RFC 3339. */
  readonly notAfter: string;
}

/** Where nodes connect, as far as it is known. Plain JSON. */
export interface TunnelServers {
  readonly servers: readonly string[];
  /** Why nobody knows them; absent: they are known, or there are none. */
  readonly serversUnknown?: string | undefined;
}

/** What is known of the tunnel. `unknown`: not who signed its certificate. Plain JSON. */
export type TunnelStatus =
  | ({ readonly kind: 'known' } & TunnelServers & CloudTunnel)
  | ({
      readonly kind: 'unknown';
      readonly why: string;
      readonly hint: string;
      /** For want of these; absent: it is not for a right. */
      readonly missing?: readonly Unread[] | undefined;
    } & TunnelServers);

/** What a Deployment of cloud-manager, and what belongs to it, tell. Plain JSON. */
export interface Deployed {
  /** Of its chart. */
  readonly version?: string;
  /** `servers`: as far as its certificate and its Service tell. */
  readonly tunnel: TunnelStatus;
  readonly certificate?: ShownCertificate | undefined;
}

/** The state of the cloud side. Plain JSON. */
export type CloudStatus =
  | { readonly kind: 'none' }
  /** Whether, or by whom, cloud-manager was installed may not be read, as `why` says; what may be is told. */
  | ({ readonly kind: 'unknown'; readonly why: string } & Deployed)
  /** A Deployment that the installer has no inventory of: helm's, or made by hand. */
  | ({ readonly kind: 'external' } & Deployed)
  /** As its inventory says. */
  | {
      readonly kind: 'installed';
      readonly version: string;
      readonly mode: 'deployment' | 'unit';
      /** False: a run was interrupted; the same command goes on. */
      readonly complete: boolean;
      readonly tunnel: TunnelStatus;
      readonly certificate?: ShownCertificate | undefined;
      /** `Deployment selvedge-system/cloud-manager`. */
      readonly made: readonly string[];
      readonly changed: readonly string[];
      readonly machines: readonly string[];
      /** Whose API server does not go through cloud-manager: of `machines`, its manifest was rewritten since; all others joined later. */
      readonly unwired: readonly string[];
    };
