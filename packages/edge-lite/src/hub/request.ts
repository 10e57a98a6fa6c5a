import type { Answer } from '@selvedge/kit/serve';
import type { UserInfo } from '@selvedge/kube';

export type { UserInfo };

export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** An authenticated client and the way in which its requests go upstream. */
export type Caller =
  /** This node's own kubelet, or a module of this process: the node certificate. */
  | { readonly kind: 'node'; readonly user: UserInfo }
  /** A service account: its own token is passed on. `pod` if the token is bound to one. */
  | {
      readonly kind: 'token';
      readonly user: UserInfo;
      readonly token: string;
      readonly pod: PodIdentity | undefined;
    }
  /** A certificate client with credentials in the config, kube-proxy for instance: those credentials. */
  | { readonly kind: 'configured'; readonly user: UserInfo; readonly client: string }
  /** A person with a certificate of the cluster's CA: reads while the cloud is away, nothing else. */
  | { readonly kind: 'operator'; readonly user: UserInfo };

/** One request of a local client, whole and authenticated. */
export interface HubRequest {
  /** Upper case. */
  readonly method: string;
  /** As it was sent, without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names, without `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly caller: Caller;
  /** The client went away. */
  readonly signal: AbortSignal;
  /** The hub is about to stop: a watch comes to a clean end. Undefined: nobody waits for that. */
  readonly ending?: AbortSignal;
}

export type HubResponse = Answer;

/** Answers requests; errors are `SelvedgeError`s, which `answers/` turns into a Status. */
export type HubHandler = (request: HubRequest) => Promise<HubResponse>;
