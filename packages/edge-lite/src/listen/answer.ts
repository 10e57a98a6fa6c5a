/** What a request is answered with. */
export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whole, or as it comes: read only as fast as the client takes it, and returned early when the client goes. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}
