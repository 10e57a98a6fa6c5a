import type { UserInfo } from '@selvedge/kube';
import type { Answer } from '@selvedge/kit/serve';

/** A request that was authenticated and authorized. */
export interface KubeletRequest {
  /** Upper case. */
  readonly method: string;
  /** As it was sent, without its query; it holds no percent signs, no empty segments and no dots alone. */
  readonly path: string;
  /** The named segments of the route's path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Lower-case names, without `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly user: UserInfo;
  /** The client went away, or the node stops. */
  readonly signal: AbortSignal;
}

/** Answers, or rejects with a `SelvedgeError`, whose message is the plain text that kubectl shows. */
export type KubeletHandler = (request: KubeletRequest) => Promise<Answer>;

/** A path that is answered. */
export interface AnswerRoute {
  readonly kind: 'answer';
  readonly methods: readonly string[];
  /** `/containerLogs/{namespace}/{pod}/{container}`; a slash at the end of a request's path counts for nothing. */
  readonly path: string;
  /** It stays for as long as the client likes, as a followed log. Default: never. */
  readonly longRunning?: (query: URLSearchParams) => boolean;
  readonly handle: KubeletHandler;
}

/** A path whose connections are turned over to SPDY or WebSocket and joined to the runtime's streaming server. */
export interface StreamRoute {
  readonly kind: 'stream';
  readonly methods: readonly string[];
  readonly path: string;
  /** Where the runtime waits for the stream. Rejects as a handler does. */
  readonly locate: (request: KubeletRequest) => Promise<URL>;
}

/** What is asked of the whole node, and whether `nodes/<subresource>` of this node allows it, is not the route's affair. */
export type KubeletRoute = AnswerRoute | StreamRoute;
