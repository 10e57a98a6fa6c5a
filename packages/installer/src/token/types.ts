import type { HostPort } from '@selvedge/kit/net';
import type { CredentialSource, KubeClient } from '@selvedge/kube';
import type { CommandContext } from '../command/index.ts';

/** The token to create. */
export interface TokenCreateOptions {
  /** How long the token is valid, in milliseconds. */
  readonly ttlMs: number;
  /** For people. */
  readonly description?: string | undefined;
  /** The nodes that it is for. None: any new node. */
  readonly nodes: readonly string[];
  /** The EdgeUnit that these nodes become members of. */
  readonly unit?: string | undefined;
  /** Where machines reach cloud-manager. Default: as the cluster was converted; none if it was not. */
  readonly tunnelServers?: readonly HostPort[] | undefined;
  /** Where machines reach the API server: `https://host:port`. Default: as `cluster-info` says, else the kubeconfig. */
  readonly server?: string | undefined;
}

/** What commands about tokens work with. */
export interface TokenDeps extends CommandContext {
  readonly cluster: KubeClient;
  /** The same API server as somebody else. Who asks closes it. */
  readonly connect: (credentials: CredentialSource) => KubeClient;
  /** What the kubeconfig says: where the API server is, and PEM of whom to trust. */
  readonly access: { readonly server: string; readonly certificateAuthority: string | undefined };
  /** A whole number below another, from a source that nobody can guess. */
  readonly randomInt: (below: number) => number;
}

/** The result of `token create`. Plain JSON. */
export interface TokenCreated {
  readonly id: string;
  /** The whole of it: whoever has it can join. */
  readonly token: string;
  /** RFC 3339. */
  readonly expiresAt: string;
  readonly description?: string | undefined;
  readonly nodes: readonly string[];
  readonly unit?: string | undefined;
  readonly server: string;
  readonly caHash: string;
  readonly tunnelServers: readonly string[];
  /** What to run on the machine, as root: its arguments. It reads the token from stdin. */
  readonly join: readonly string[];
}
