import type { Duplex } from 'node:stream';
import { SelvedgeError, hasCode, type Logger } from '@selvedge/kit';
import type { Credentials } from '../credentials.ts';
import type { ServerLink } from './server-link.ts';
import type { HttpConnection, HttpRequest, HttpResponse, Upgraded } from './types.ts';

const safeMethods = new Set(['GET', 'HEAD']);

const isRefused = (error: unknown): boolean =>
  hasCode(error, 'Unavailable') && error.details['refused'] === true;

const isUnsent = (error: unknown): boolean =>
  error instanceof SelvedgeError && error.details['unsent'] === true;

/** Another server may be asked: this one did not look at the request, or asking twice does no harm. */
function mayTryNext(error: unknown, safe: boolean): boolean {
  if (!hasCode(error, 'Unavailable', 'DeadlineExceeded')) return false;
  return isUnsent(error) || isRefused(error) || safe;
}

/** Several servers of one cluster. Stays with one until it fails, then moves on to the next. */
export class Failover {
  readonly #links: readonly [ServerLink, ...ServerLink[]];
  readonly #log: Logger;
  #current: ServerLink;

  constructor(links: readonly [ServerLink, ...ServerLink[]], log: Logger) {
    this.#links = links;
    this.#log = log;
    this.#current = links[0];
  }

  get servers(): readonly string[] {
    return this.#inOrder().map(({ url }) => url.host);
  }

  get connected(): boolean {
    return this.#current.connected;
  }

  /**
   * Sends the request to the server in use; to the others, once each, if none could be reached before. What a server
   * may have handled already is sent again only if it is safe: reads, and requests that the server refused to look at.
   */
  send(request: HttpRequest, credentials: Credentials): Promise<HttpResponse> {
    const asked = { signal: request.signal, safe: safeMethods.has(request.method) };
    const stays = (link: ServerLink) => (): boolean => this.#current === link;
    return this.#each(asked, (link) => sendOn(link, { request, credentials, stays: stays(link) }));
  }

  async sendTo(server: string, request: HttpRequest, credentials: Credentials): Promise<HttpResponse> {
    return sendOn(this.#link(server), { request, credentials, stays: () => true });
  }

  upgrade(request: HttpRequest, credentials: Credentials): Promise<Upgraded> {
    return this.#each({ signal: request.signal, safe: false }, (link) => link.upgrade(credentials, request));
  }

  dialRaw(signal: AbortSignal): Promise<Duplex> {
    return this.#each({ signal, safe: false }, (link) => link.dialRaw(signal));
  }

  use(server: string): void {
    const link = this.#link(server);
    this.#move(link, undefined);
    for (const other of this.#links) {
      if (other !== link) other.abandon();
    }
  }

  renew(): void {
    for (const link of this.#links) link.renew();
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
  }

  async #each<T>(
    { signal, safe }: { readonly signal: AbortSignal; readonly safe: boolean },
    work: (link: ServerLink) => Promise<T>,
  ): Promise<T> {
    const failures: unknown[] = [];
    for (const link of this.#inOrder()) {
      try {
        return await work(link);
      } catch (error) {
        signal.throwIfAborted();
        const next = mayTryNext(error, safe);
        if (next || hasCode(error, 'DeadlineExceeded')) this.#leave(link, error);
        if (!next) throw error;
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    const cause = new AggregateError(failures, 'every server failed');
    const details = failures.every(isUnsent) ? { unsent: true } : {};
    throw new SelvedgeError('no API server can be reached', { code: 'Unavailable', cause, details });
  }

  #link(server: string): ServerLink {
    const link = this.#links.find(({ url }) => url.host === server);
    if (link !== undefined) return link;
    throw new SelvedgeError(`${server} is no API server of ours`, { code: 'NotFound' });
  }

  #inOrder(): readonly ServerLink[] {
    const at = this.#links.indexOf(this.#current);
    return [...this.#links.slice(at), ...this.#links.slice(0, at)];
  }

  #leave(link: ServerLink, error: unknown): void {
    if (this.#current === link) this.#move(this.#inOrder()[1] ?? link, error);
  }

  #move(to: ServerLink, error: unknown): void {
    if (this.#current === to) return;
    const from = this.#current.url.host;
    this.#current = to;
    this.#log.info('API server changed', {
      from,
      to: to.url.host,
      ...(error === undefined ? {} : { error }),
    });
  }
}

interface Sending {
  readonly request: HttpRequest;
  readonly credentials: Credentials;
  /** Whether the server is still to be asked: others may have left it in the meantime. */
  readonly stays: () => boolean;
}

/** A kept connection may turn out to be dead: one more try on a fresh one. */
async function sendOn(link: ServerLink, { request, credentials, stays }: Sending): Promise<HttpResponse> {
  const connection: HttpConnection = await link.connection(credentials, request);
  try {
    return await connection.request(request);
  } catch (error) {
    request.signal.throwIfAborted();
    const again = isRefused(error) || (hasCode(error, 'Unavailable') && safeMethods.has(request.method));
    if (!again || !stays()) throw error;
    const fresh = await link.connection(credentials, request);
    return fresh.request(request);
  }
}
