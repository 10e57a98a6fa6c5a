import { constants } from 'node:http2';
import { SelvedgeError, hasCode, isAbort, type ErrorCode } from '@selvedge/kit';

const {
  NGHTTP2_CANCEL: cancel,
  NGHTTP2_CONNECT_ERROR: connectError,
  NGHTTP2_ENHANCE_YOUR_CALM: enhanceYourCalm,
  NGHTTP2_INTERNAL_ERROR: internalError,
  NGHTTP2_REFUSED_STREAM: refusedStream,
} = constants;

interface Meaning {
  readonly code: ErrorCode;
  readonly text: string;
}

/** What RST_STREAM says, by its code. The page of the protocol has the same table. Source: RFC 9113 section 7. */
const meanings: ReadonlyMap<number, Meaning> = new Map([
  [cancel, { code: 'Aborted', text: 'the other end gave the stream up' }],
  [connectError, { code: 'Unavailable', text: "the target's connection broke" }],
  [enhanceYourCalm, { code: 'ResourceExhausted', text: 'the stream was cut because of a limit' }],
  [refusedStream, { code: 'Unavailable', text: 'the stream was refused before anything was done' }],
  [internalError, { code: 'Internal', text: 'the other end failed' }],
]);

const otherwise: Meaning = { code: 'Unavailable', text: 'the stream broke' };

/** The code with which a stream is reset because of `error`; without one, because nobody wants it any more. */
export function resetOf(error: unknown): number {
  if (error === undefined || error === null || isAbort(error)) return cancel;
  if (hasCode(error, 'ResourceExhausted')) return enhanceYourCalm;
  if (hasCode(error, 'Internal', 'Corrupt', 'Invalid')) return internalError;
  return connectError;
}

/** Why a stream that was reset with `code` ended; `details.refused` where another session may be asked at once. */
export function errorOfReset(code: number, cause?: unknown): SelvedgeError {
  if (cause instanceof SelvedgeError) return cause;
  const { code: kind, text } = meanings.get(code) ?? otherwise;
  const details = code === refusedStream ? { refused: true } : {};
  return new SelvedgeError(text, { code: kind, cause, details });
}
