import {
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { SelvedgeError, withDeadline, type Clock } from '@selvedge/kit';
import { refused } from '@selvedge/kit/net';
import { errorOfAnswer } from '../protocol/answers.ts';
import { errorOfReset } from '../protocol/resets.ts';
import type { SessionLimits, SessionTimeouts } from '../types.ts';
import { reset } from './reset.ts';
import type { Session } from './session.ts';

export interface OpenerOptions {
  readonly limits: Pick<SessionLimits, 'maxStreams'>;
  readonly timeouts: Pick<SessionTimeouts, 'openMs'>;
}

/** The end of a session that opens streams. */
export class Opener {
  readonly session: Session;
  readonly #http2: ClientHttp2Session;
  readonly #options: OpenerOptions;
  readonly #clock: Clock;

  constructor(
    ends: { readonly session: Session; readonly http2: ClientHttp2Session },
    options: OpenerOptions,
    deps: { readonly clock: Clock },
  ) {
    this.session = ends.session;
    this.#http2 = ends.http2;
    this.#options = options;
    this.#clock = deps.clock;
  }

  /**
   * A stream to what the other end makes of `authority`. Rejects with its refusal, `Unavailable` with `details.refused`
   * if it did not look at it, `ResourceExhausted`, `DeadlineExceeded`, or the signal's reason.
   */
  async open(authority: string, signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted();
    const stream = this.#request(authority);
    const { openMs } = this.#options.timeouts;
    const wait = { what: `the answer for ${authority}`, timeoutMs: openMs, signal };
    try {
      return await withDeadline(wait, this.#clock, () => this.#answer(stream, authority));
    } catch (error) {
      reset(stream, constants.NGHTTP2_CANCEL);
      throw error;
    }
  }

  #request(authority: string): ClientHttp2Stream {
    const { session } = this;
    const { peer } = session.facts;
    const most = Math.min(
      this.#options.limits.maxStreams,
      this.#http2.remoteSettings.maxConcurrentStreams ?? Infinity,
    );
    if (session.streams >= most) {
      const message = `the session with ${peer} has ${session.streams} streams already`;
      throw new SelvedgeError(message, { code: 'ResourceExhausted' });
    }
    try {
      const stream = this.#http2.request(
        { ':method': 'CONNECT', ':authority': authority },
        { endStream: false },
      );
      session.count(stream);
      return stream;
    } catch (cause) {
      throw refused(peer, cause);
    }
  }

  /** The stream is taken over in the turn in which its answer comes. */
  #answer(stream: ClientHttp2Stream, authority: string): Promise<Duplex> {
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    let failure: unknown;
    const failed = (error: unknown): void => void (failure = error);
    const closed = (): void => {
      const code = stream.rstCode ?? constants.NGHTTP2_CANCEL;
      reject(this.session.failure ?? errorOfReset(code, failure));
    };
    stream.on('error', failed).once('close', closed);
    stream.once('response', (head: IncomingHttpHeaders & { ':status'?: number }) => {
      if (head[':status'] !== 200) return reject(errorOfAnswer(authority, head));
      resolve(this.session.wrap(stream));
      // Ten thousand of them may be open: what they keep counts.
      stream.off('error', failed).off('close', closed);
    });
    return promise;
  }
}
