import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  aborted,
  createBackoff,
  createListeners,
  createPoke,
  createTaskGroup,
  hasCode,
  scoped,
} from '@selvedge/kit';
import type { ServingPair, ServingSource } from '@selvedge/kit/serve';
import { certificatesOf } from '@selvedge/kit/x509';
import type { CertificatePurpose } from './certificate-request.ts';
import { issuePair } from './issue.ts';
import type { IdentityClient } from './join.ts';
import { type Pair, loadPair, savePair } from './pair.ts';
import { createPendingKey } from './pending-key.ts';
import { rotationTime } from './rotation-time.ts';

export interface ServingCertificateOptions {
  readonly nodeName: string;
  /** Where the certificate and its key lie, and the key of the next one. */
  readonly servingPemPath: string;
  readonly pendingServingKeyPath: string;
}

export interface ServingCertificateDeps {
  /** A client as the node, straight to the API server; closed after each request. */
  readonly connect: () => IdentityClient;
  /** The DNS names and addresses that the Node shows; none before it is known. */
  readonly names: () => readonly string[];
  /** Calls back when they may have changed. */
  readonly onNames: (changed: () => void) => Disposable;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/**
 * By which the node serves the kubelet's API: asked for with the signer `kubernetes.io/kubelet-serving`, as the kubelet does
 * with `serverTLSBootstrap`, and waited for until somebody approves it, however long that takes. It is renewed at 70 to 90 %
 * of its life, and when the Node's addresses change. Its start waits for nothing.
 */
export interface ServingCertificate extends Service, ServingSource {}

const purpose: Omit<CertificatePurpose, 'names'> = {
  signerName: 'kubernetes.io/kubelet-serving',
  usages: ['digital signature', 'server auth'],
  // Somebody may take hours to approve it.
  maxPollMs: 120_000,
};

/** The wall clock may be set while we wait: it is looked at again this often. */
const wakeEveryMs = 60_000;
const backoff = { initialMs: 5_000, maxMs: 300_000, resetAfterMs: 300_000 };

interface Held {
  readonly pair: Pair;
  /** When to replace it, milliseconds since the epoch. */
  readonly rotateAtMs: number;
}

/** `DNS:a, IP Address:10.0.0.1`, as Node prints the names of a certificate. */
function namesIn({ certificate }: Pair): ReadonlySet<string> {
  const [leaf] = certificatesOf(certificate);
  const texts = (leaf?.subjectAltName ?? '').split(', ');
  return new Set(texts.map((text) => text.replace(/^(DNS|IP Address):/, '').toLowerCase()));
}

const covers = (pair: Pair, names: readonly string[]): boolean => {
  const held = namesIn(pair);
  return names.every((name) => held.has(name));
};

class NodeServingCertificate implements ServingCertificate {
  readonly name = 'serving certificate';
  readonly #options: ServingCertificateOptions;
  readonly #deps: ServingCertificateDeps;
  readonly #pendingKey;
  readonly #changed;
  readonly #poke;
  readonly #tasks;
  readonly #requests;
  #held: Held | undefined;

  constructor(options: ServingCertificateOptions, deps: ServingCertificateDeps) {
    const { log, clock, metrics } = deps;
    this.#options = options;
    this.#deps = deps;
    this.#pendingKey = createPendingKey(options.pendingServingKeyPath);
    this.#changed = createListeners<void>(log);
    this.#poke = createPoke(clock);
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error, task) => log.error('serving certificate task failed', { task, error }) },
    );
    this.#requests = metrics.counter({
      name: 'selvedge_kubelet_api_certificate_requests_total',
      help: 'Requests for a serving certificate that have ended, by outcome: issued, failed.',
    });
    const expiry = {
      name: 'selvedge_kubelet_api_certificate_expiry_seconds',
      help: 'When the serving certificate ends, Unix time; 0 while there is none.',
    };
    metrics.sampled(expiry, () => (this.#held?.pair.notAfterMs ?? 0) / 1000);
  }

  get serving(): ServingPair | undefined {
    const pair = this.#held?.pair;
    return pair === undefined ? undefined : { certificate: pair.certificate, key: pair.privateKey };
  }

  onChange(changed: () => void): Disposable {
    return this.#changed.add(changed);
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const known = await this.#load();
    if (known !== undefined) this.#hold(known, undefined);
    this.#tasks.run('rotation', (inner) => this.#rotate(inner));
  }

  stop(): Promise<void> {
    return this.#tasks.stop();
  }

  /** One that cannot be used is asked for anew: nothing is lost with it. */
  async #load(): Promise<Pair | undefined> {
    const { nodeName, servingPemPath } = this.#options;
    try {
      return await loadPair(servingPemPath, nodeName);
    } catch (error) {
      if (!hasCode(error, 'Unauthenticated')) throw error;
      this.#deps.log.warn('the serving certificate on disk cannot be used', { error });
      return undefined;
    }
  }

  #hold(pair: Pair, issuedAtMs: number | undefined): void {
    this.#held = { pair, rotateAtMs: rotationTime(pair, issuedAtMs, this.#deps.random) };
    const notAfter = new Date(pair.notAfterMs).toISOString();
    this.#deps.log.info('serving certificate loaded', { notAfter, names: [...namesIn(pair)] });
    this.#changed.tell();
  }

  async #rotate(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#deps;
    const delays = createBackoff(backoff, { clock, random });
    using poking = this.#deps.onNames(() => this.#poke.poke());
    for (;;) {
      const names = await this.#due(signal);
      try {
        await this.#issue(names, signal);
        this.#requests.add({ outcome: 'issued' });
        delays.up();
      } catch (error) {
        signal.throwIfAborted();
        if (hasCode(error, 'Aborted')) continue;
        this.#requests.add({ outcome: 'failed' });
        const expired = (this.#held?.pair.notAfterMs ?? 0) <= clock.now();
        log[expired ? 'error' : 'warn']('no serving certificate was issued', { error, expired });
        await clock.sleep(delays.nextDelayMs(), signal);
      }
    }
  }

  /** The names to ask for, as soon as a certificate for them is missing or nears its end. */
  async #due(signal: AbortSignal): Promise<readonly string[]> {
    const { clock } = this.#deps;
    for (;;) {
      const names = this.#names();
      const left = (this.#held?.rotateAtMs ?? 0) - clock.now();
      const isCurrent = left > 0 && this.#held !== undefined && covers(this.#held.pair, names);
      if (names.length > 0 && !isCurrent) return names;
      await this.#poke.wait(isCurrent ? Math.min(left, wakeEveryMs) : wakeEveryMs, signal);
    }
  }

  #names(): readonly string[] {
    return [...new Set(this.#deps.names().map((name) => name.toLowerCase()))].toSorted();
  }

  /** Rejects with `Aborted` when the Node's names change meanwhile. */
  async #issue(names: readonly string[], signal: AbortSignal): Promise<void> {
    const { connect, onNames } = this.#deps;
    const { nodeName, servingPemPath } = this.#options;
    using scope = scoped(signal);
    using changes = onNames(() => {
      if (this.#names().join(' ') !== names.join(' ')) scope.abort(aborted('a request for other names'));
    });
    const client = connect();
    try {
      const deps = { ...this.#deps, client, pendingKey: this.#pendingKey };
      const wish = { nodeName, purpose: { ...purpose, names } };
      const pair = await issuePair(wish, deps, scope.signal);
      await savePair(servingPemPath, pair);
      await this.#pendingKey.forget();
      this.#hold(pair, this.#deps.clock.now());
    } finally {
      await client.close();
    }
  }
}

/** Does no I/O before its start. */
export function createServingCertificate(
  options: ServingCertificateOptions,
  deps: ServingCertificateDeps,
): ServingCertificate {
  return new NodeServingCertificate(options, deps);
}
