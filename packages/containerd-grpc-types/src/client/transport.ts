/** How one call is bounded. */
export interface CallOptions {
  /** Gives up the call; it then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /**
   * How long the call may take, in milliseconds, told to the server too. Default: two minutes for a unary call, as the
   * kubelet's `runtimeRequestTimeout`; none for a stream.
   */
  readonly deadlineMs?: number;
  /** Sent with the request. Names are lower case, values printable ASCII. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Carries gRPC calls over one connection that is made when it is first needed, and again after it was lost. Messages
 * are bytes here; `createClient` gives them types.
 *
 * Every call rejects with a `SelvedgeError`: `Unavailable` while the server cannot be reached (at once, nothing is
 * queued for it), `DeadlineExceeded`, `ResourceExhausted` for a message over the cap, else by the server's status.
 * The status name is `details.grpcStatus`.
 */
export interface GrpcTransport {
  /** `path` is `/package.Service/Method`. */
  unary(path: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  /**
   * The call starts with the first `next()` and is cancelled when the iteration is left. Messages are read from the
   * server only as fast as they are taken.
   */
  serverStream(path: string, request: Uint8Array, options: CallOptions): AsyncIterable<Uint8Array>;
  /** Ends the connection and, with code `Aborted`, every call. Idempotent. */
  close(): Promise<void>;
}

export const defaultUnaryDeadlineMs = 120_000;
/** What the kubelet allows too. */
export const defaultMaxMessageBytes = 16 * 1024 * 1024;
