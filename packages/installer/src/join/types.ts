import type { HostPort } from '@selvedge/kit/net';
import type { CredentialSource, KubeClient } from '@selvedge/kube';
import type { Architecture, Artifact } from '../artifacts/index.ts';
import type { CommandContext } from '../command/index.ts';
import type { Hosts, Machine } from '../host/index.ts';

/** What a person chose for a join. */
export interface JoinOptions {
  /** The URL of an API server: `https://203.0.113.9:6443`. */
  readonly server: string;
  /** A bootstrap token, `ID.SECRET`. It is in no argument of a program that we start, in no log and in no journal. */
  readonly token: string;
  /** `sha256:` and the hash of the public key of the cluster's CA. */
  readonly caHash: string;
  /** The machine: `name` is for people; its addresses are where it is reached, none for this one. */
  readonly machine: Machine;
  /** The name of the Node. Default: the host name of the machine, in lower case. */
  readonly nodeName?: string;
  /** The EdgeUnit that the cloud is to take it into, which it waits for. Default: none. */
  readonly unit?: string;
  /** Where cloud-manager is. Default: no tunnel. */
  readonly tunnelServers?: readonly HostPort[];
  /** Labels of the Node when it is created; the API server rejects those that a node may not set itself. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Addresses of the cluster DNS. Default: as in the kubelet configuration of the cluster. */
  readonly clusterDNS?: readonly string[];
  /** The DNS domain of the cluster. Default: as in its kubelet configuration, otherwise `cluster.local`. */
  readonly clusterDomain?: string;
  /**
   * Who connects pods. `bridge`: edge-lite writes a CNI configuration with the Node's pod range. `none`: somebody else does, a
   * DaemonSet for instance. Default: `bridge`, unless the machine has a CNI configuration.
   */
  readonly network?: 'bridge' | 'none';
  /** The package that brings containerd, where there is none. Default `containerd`. */
  readonly containerdPackage?: string;
  /** The time limit for the Node to become Ready, from the start of edge-lite, in milliseconds. Default 180,000. */
  readonly timeoutMs?: number;
}

/** Defaults of `JoinOptions`. */
export const joinDefaults = { timeoutMs: 180_000, containerdPackage: 'containerd' } as const;

/** What join takes of a release. */
export interface JoinArtifacts {
  edgeLite(arch: Architecture): Promise<Artifact>;
  /** Files of packages for machines without a way to their mirrors, those for this system only. Default: none. */
  packages?(system: {
    readonly arch: Architecture;
    readonly manager: 'apt' | 'dnf';
  }): Promise<readonly Omit<Artifact, 'version'>[]>;
}

/** What `join` works with: the way to the machine, the files that it installs, and clients of the API server. */
export interface JoinDeps extends CommandContext {
  readonly hosts: Hosts;
  readonly artifacts: JoinArtifacts;
  /** A client of an API server. Who asks closes it. */
  readonly connect: (server: string, credentials: CredentialSource) => JoinClient;
}

/** What a token is tried with. */
export type JoinClient = Pick<KubeClient, 'create' | 'get' | 'close'>;

/** The result of `join`. Plain JSON: what `selvedge join --json` prints. */
export interface JoinResult {
  /** `unchanged`: it was a node before, and is Ready and reached. `declined`: nobody agreed, or it was a dry run. */
  readonly outcome: 'joined' | 'unchanged' | 'declined';
  readonly node: string;
  /** The EdgeUnit that it belongs to by now. */
  readonly unit?: string;
  /** The time from the first change until the Node was Ready and, with a tunnel, reached through it, in milliseconds. */
  readonly totalMs?: number;
  /** What a person should know. */
  readonly warnings: readonly string[];
}
