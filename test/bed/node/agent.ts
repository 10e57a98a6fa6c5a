import type { BedAssets } from '../assets.ts';
import type { BootstrapToken } from '../control-plane/token.ts';
import type { BedDescription, NodeDescription } from '../description.ts';
import type { NodeHost } from '../host/host.ts';
import type { BedNames } from '../names.ts';
import type { ApiAccess } from '../pki/kubeconfig.ts';
import type { Pki } from '../pki/pki.ts';

/** What makes a host a node of the cluster. */
export interface NodeAgent {
  /** The daemon's name on the host. */
  readonly daemon: string;
  /** Keeps it running. Idempotent. True if it was started just now. */
  ensure(signal?: AbortSignal): Promise<boolean>;
}

export interface AgentOptions {
  readonly bed: BedDescription;
  readonly node: NodeDescription;
  readonly names: BedNames;
  readonly assets: BedAssets;
  readonly pki: Pki;
  /** Where stock programs find the API. Undefined: at the API server. */
  readonly api?: ApiAccess | undefined;
}

export interface AgentDeps {
  readonly host: NodeHost;
  /** A fresh token with which a node may join. */
  readonly createToken: (signal?: AbortSignal) => Promise<BootstrapToken>;
}
