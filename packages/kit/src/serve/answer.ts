/** What a request is answered with. */
export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whole, or as it comes: read only as fast as the client takes it, and returned early when the client goes. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/** An answer that is there as a whole. */
export interface WholeAnswer extends Answer {
  readonly body: Uint8Array;
}

/** Text for people and programs alike, which no browser takes for anything else. */
export const textAnswer = (
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): WholeAnswer => ({
  status,
  headers: { 'content-type': type, 'x-content-type-options': 'nosniff' },
  body: Buffer.from(text),
});
