import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { Service } from '@selvedge/kit';
import type { KubeClient } from '@selvedge/kube';
import type { Caller } from '../request.ts';
import type { Sponsor } from '../coverages/types.ts';

/** Whether the cloud can be reached, decided by evidence. */
export type Connectivity =
  /** Nothing is known yet, since the start. */
  | { readonly kind: 'connecting'; readonly sinceMs: number }
  | { readonly kind: 'online'; readonly sinceMs: number; readonly server: string }
  /** `reason`: what a person should know, for instance `refused`, `silent for 8 s`. */
  | { readonly kind: 'offline'; readonly sinceMs: number; readonly reason: string };

export interface UpstreamRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Lower-case; credentials are added by the upstream. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** A watch or a followed log. Default false. */
  readonly longRunning?: boolean | undefined;
  readonly signal: AbortSignal;
}

export interface UpstreamResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it comes, `content-encoding` and all. To be read to its end or destroyed. */
  readonly body: Readable;
  /** Throws `Unavailable` if the body ended only because the connection broke. */
  checkComplete(): void;
}

/** A connection that upstream turned over to another protocol: SPDY or WebSocket. */
export interface UpgradedConnection {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Bytes both ways. Undefined if upstream refused: then `body` has its answer. */
  readonly socket: Duplex | undefined;
  readonly body: Buffer;
}

/** The API servers, as one. Throws `Unavailable` while none can be reached, with `details.offlineSinceMs`. */
export interface Upstream extends Service {
  readonly connectivity: Connectivity;
  /** Called when it is of another kind, or another server's; not for another reason of the same cut. */
  onConnectivity(changed: (now: Connectivity) => void): Disposable;
  send(caller: Caller, request: UpstreamRequest): Promise<UpstreamResponse>;
  upgrade(caller: Caller, request: UpstreamRequest): Promise<UpgradedConnection>;
  /** A bare connection to an API server in use, for byte-for-byte relays. */
  dialRaw(signal: AbortSignal): Promise<Duplex>;
  /** The way to the API servers is about to end: requests go over new connections from now on. */
  renew(): void;
  /** A client that acts for a sponsor. Not to be closed by its user. */
  clientOf(sponsor: Sponsor): KubeClient;
}
