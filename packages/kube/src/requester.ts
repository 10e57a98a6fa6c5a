import type { IncomingHttpHeaders } from 'node:http';
import {
  BoundedMap,
  SelvedgeError,
  isAbort,
  jittered,
  type Clock,
  type Logger,
  type Random,
} from '@selvedge/kit';
import { collect, readUnzipped } from './http/body.ts';
import type { HttpRequest, HttpResponse, HttpTimeouts } from './http/types.ts';
import type { KubeMetrics } from './metrics.ts';
import { statusError } from './status.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Call {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly query?: Query | undefined;
  readonly body?: string | Uint8Array | undefined;
  /** Default `application/json`. */
  readonly contentType?: string | undefined;
  /** Default `application/json`. */
  readonly accept?: string | undefined;
  /** A watch: see `HttpRequest`. */
  readonly longRunning?: boolean | undefined;
  /** False for answers that are read while they come. Default true. */
  readonly gzip?: boolean | undefined;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RequesterOptions {
  readonly userAgent: string;
  readonly timeouts: HttpTimeouts;
  readonly maxBodyBytes: number;
  /** How often an answer with `Retry-After` (429, 503, …) is taken as an advice to wait. */
  readonly maxRetries: number;
}

/** Takes requests to an API server, or to what stands for one, as someone. */
export interface Sender {
  /** `host:port` of who answers, for people. */
  readonly server: string;
  /** Adds the credentials. Rejects with `Unavailable` or `DeadlineExceeded` when no answer comes. */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Closes what only this client uses. */
  close(): Promise<void>;
}

export interface RequesterDeps {
  readonly sender: Sender;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

const maxErrorBytes = 64 * 1024;
const maxRetryAfterSeconds = 60;
const maxWarnings = 256;

function queryOf(query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** Seconds, or undefined for a date and anything else: API servers send seconds. */
function retryAfter(headers: IncomingHttpHeaders): number | undefined {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, maxRetryAfterSeconds) : undefined;
}

/** `299 - "text"` → `text`. Source: RFC 7234 section 5.5 and kubernetes.io "Warnings". */
function warningsOf(headers: IncomingHttpHeaders): readonly string[] {
  const values = headers['warning'] ?? '';
  return Array.from(values.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g), ([, text = '']) =>
    text.replaceAll(/\\(.)/g, '$1'),
  );
}

function parsed(body: Buffer): unknown {
  const text = body.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Sends calls: headers, retries that the server asks for, errors. */
export class Requester {
  readonly #options: RequesterOptions;
  readonly #deps: RequesterDeps;
  readonly #warnings = new BoundedMap<string, true>({ capacity: maxWarnings });

  constructor(options: RequesterOptions, deps: RequesterDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The head of a 2xx answer, its body to be read by the caller. Everything else is an error. */
  async open(call: Call): Promise<HttpResponse> {
    for (let retries = 0; ; retries += 1) {
      const response = await this.#send(call);
      if (response.status >= 200 && response.status < 300) return response;
      const seconds = retryAfter(response.headers);
      const again = seconds !== undefined && retries < this.#options.maxRetries;
      if (!again) throw await this.#failure(call, response);
      response.body.destroy();
      await this.#deps.clock.sleep(jittered(seconds * 1_000, this.#deps.random), call.signal);
    }
  }

  /** The whole 2xx answer. */
  async send(call: Call): Promise<Answer> {
    const response = await this.open(call);
    const { idleMs } = this.#options.timeouts;
    const options = { what: whatOf(call), idleMs, maxBytes: this.#options.maxBodyBytes };
    try {
      const body = await collect(response, options, this.#deps.clock);
      return { status: response.status, headers: response.headers, body };
    } catch (error) {
      call.signal.throwIfAborted();
      throw error;
    }
  }

  /** The 2xx answer as it comes and is taken, unzipped. */
  async *read(call: Call): AsyncGenerator<Uint8Array, void, undefined> {
    const response = await this.open(call);
    const options = { what: whatOf(call), idleMs: this.#options.timeouts.idleMs };
    try {
      yield* readUnzipped(response, options, this.#deps.clock);
    } catch (error) {
      call.signal.throwIfAborted();
      throw error;
    }
  }

  async #send(call: Call): Promise<HttpResponse> {
    const { clock, metrics, sender } = this.#deps;
    const { method, longRunning, signal } = call;
    const started = clock.monotonicMs();
    try {
      const path = `${call.path}${queryOf(call.query)}`;
      const request = { method, path, headers: this.#headers(call), body: call.body, longRunning, signal };
      const response = await sender.send(request);
      metrics.requests.add({ method, code: String(response.status) });
      this.#warn(call, response.headers);
      return response;
    } catch (error) {
      signal.throwIfAborted();
      const code = error instanceof SelvedgeError ? error.code : 'Internal';
      if (!isAbort(error)) metrics.requests.add({ method, code });
      throw error;
    } finally {
      metrics.requestSeconds.observe((clock.monotonicMs() - started) / 1_000, { method });
    }
  }

  /** Each text once, as long as it is remembered. */
  #warn(call: Call, headers: IncomingHttpHeaders): void {
    for (const warning of warningsOf(headers)) {
      if (this.#warnings.get(warning) === undefined) {
        this.#deps.log.warn('API server warning', { call: whatOf(call), warning });
      }
      this.#warnings.set(warning, true);
    }
  }

  #headers(call: Call): Record<string, string> {
    return {
      accept: call.accept ?? 'application/json',
      'accept-encoding': call.gzip === false ? 'identity' : 'gzip',
      'user-agent': this.#options.userAgent,
      ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
    };
  }

  async #failure(call: Call, response: HttpResponse): Promise<unknown> {
    const options = { what: whatOf(call), idleMs: this.#options.timeouts.idleMs, maxBytes: maxErrorBytes };
    const body = await collect(response, options, this.#deps.clock).catch(() => Buffer.alloc(0));
    call.signal.throwIfAborted();
    return statusError({
      what: whatOf(call),
      httpStatus: response.status,
      body: parsed(body),
      retryAfterSeconds: retryAfter(response.headers),
    });
  }
}

/** `GET /api/v1/pods`, for errors and logs. Never the query: it may be long. */
export function whatOf(call: Pick<Call, 'method' | 'path'>): string {
  return `${call.method} ${call.path}`;
}
