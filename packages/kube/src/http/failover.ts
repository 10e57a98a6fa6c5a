import { SelvedgeError, hasCode, type Logger } from '@selvedge/kit';
import type { Credentials } from '../credentials.ts';
import type { ServerLink } from './server-link.ts';
import type { HttpConnection, HttpRequest, HttpResponse } from './types.ts';

const safeMethods = new Set(['GET', 'HEAD']);

const isRefused = (error: unknown): boolean =>
  hasCode(error, 'Unavailable') && error.details['refused'] === true;

/** Several servers of one cluster. Stays with one until it fails, then moves on to the next. */
export class Failover {
  readonly #links: readonly ServerLink[];
  readonly #log: Logger;
  #current = 0;

  constructor(links: readonly ServerLink[], log: Logger) {
    this.#links = links;
    this.#log = log;
  }

  /** `host:port` of the server in use. */
  get server(): string {
    return this.#links[this.#current]?.url.host ?? '';
  }

  /**
   * Sends the request to the server in use; to the others, once each, if none could be reached before. What a server
   * may have handled already is sent again only if it is safe: reads, and requests that the server refused to look at.
   */
  async send(request: HttpRequest, credentials: Credentials): Promise<HttpResponse> {
    const failures: unknown[] = [];
    for (const link of this.#inOrder()) {
      try {
        const connection = await link.connection(credentials, request);
        return await this.#sendOn(link, { connection, request, credentials });
      } catch (error) {
        request.signal.throwIfAborted();
        this.#leave(link, error);
        if (!this.#mayTryNext(request, error)) throw error;
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    const cause = new AggregateError(failures, 'every server failed');
    throw new SelvedgeError('no API server can be reached', { code: 'Unavailable', cause });
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
  }

  #inOrder(): readonly ServerLink[] {
    return [...this.#links.slice(this.#current), ...this.#links.slice(0, this.#current)];
  }

  /** A kept connection may turn out to be dead: one more try on a fresh one. */
  async #sendOn(
    link: ServerLink,
    at: {
      readonly connection: HttpConnection;
      readonly request: HttpRequest;
      readonly credentials: Credentials;
    },
  ): Promise<HttpResponse> {
    const { connection, request, credentials } = at;
    try {
      return await connection.request(request);
    } catch (error) {
      request.signal.throwIfAborted();
      const again = isRefused(error) || (hasCode(error, 'Unavailable') && safeMethods.has(request.method));
      if (!again) throw error;
      const fresh = await link.connection(credentials, request);
      return fresh.request(request);
    }
  }

  #mayTryNext(request: HttpRequest, error: unknown): boolean {
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded')) return false;
    return error.details['unsent'] === true || isRefused(error) || safeMethods.has(request.method);
  }

  #leave(link: ServerLink, error: unknown): void {
    if (this.#links[this.#current] !== link || this.#links.length === 1) return;
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded')) return;
    this.#current = (this.#current + 1) % this.#links.length;
    this.#log.info('API server changed', { from: link.url.host, to: this.server, error });
  }
}
