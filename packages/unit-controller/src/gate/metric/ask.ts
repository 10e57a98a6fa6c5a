import { type Clock, SelvedgeError, explain, hasCode, messageOf, withDeadline } from '@selvedge/kit';
import { type CredentialSource, type HttpResponse, type Transport, collect } from '@selvedge/kube';
import { type MetricReading, readingOf, unknown } from './reading.ts';

export interface MetricQuestion {
  readonly url: URL;
  /** A JSON pointer. */
  readonly field: string;
}

export interface AskOptions {
  readonly userAgent: string;
  /** From the connection to the last byte, in milliseconds. */
  readonly timeoutMs: number;
  /** Of an answer; more is refused. */
  readonly maxBytes: number;
}

export interface AskDeps {
  readonly transport: Pick<Transport, 'send'>;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
}

function refuse({ status }: HttpResponse): void {
  if (status === 200) return;
  const more = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
  throw new SelvedgeError(`it answered ${status}${more}`, { code: 'Unavailable' });
}

/** Asks once, and sends nothing that the config does not give. Rejects only when the signal aborts. */
export async function askFor(
  { url, field }: MetricQuestion,
  { userAgent, timeoutMs, maxBytes, signal }: AskOptions & { readonly signal: AbortSignal },
  { transport, credentials, clock }: AskDeps,
): Promise<MetricReading> {
  const what = `the answer of ${url.host}`;
  const headers = { accept: 'application/json', 'user-agent': userAgent };
  const path = `${url.pathname}${url.search}`;
  try {
    const body = await withDeadline({ what, timeoutMs, signal }, clock, async (inner) => {
      const request = { method: 'GET', path, headers, signal: inner };
      const response = await transport.send(request, await credentials(inner));
      try {
        refuse(response);
        return await collect(response, { what, idleMs: timeoutMs, maxBytes }, clock);
      } finally {
        response.body.destroy();
      }
    });
    return readingOf(body.toString('utf8'), field);
  } catch (error) {
    signal.throwIfAborted();
    // Where its credentials are is nobody's business who writes a UnitApp.
    return unknown(hasCode(error, 'Unauthenticated') ? messageOf(error) : explain(error));
  }
}
