import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  SelvedgeError,
  type Service,
  createBackoff,
  createListeners,
  createTaskGroup,
} from '@selvedge/kit';
import type { CredentialSource, Credentials, OpenTcp } from '@selvedge/kube';
import { clientPurpose } from './certificate-request.ts';
import { issuePair } from './issue.ts';
import { type IdentityClient, type JoinDeps, type Joined, join } from './join.ts';
import { createPendingKey } from './pending-key.ts';
import { rotationTime } from './rotation-time.ts';
import { createVault } from './vault.ts';

export interface IdentityOptions {
  readonly nodeName: string;
  readonly urls: readonly string[];
  /** `sha256:…` of the public key of the cluster's CA. */
  readonly caHash: string;
  /** Needed to join and to join again after the certificate has expired. */
  readonly tokenFile: string | undefined;
  readonly clusterCaPath: string;
  readonly clientPemPath: string;
  readonly pendingKeyPath: string;
}

export interface IdentityDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  /** A client of the configured servers with the given credentials. */
  readonly connect: (credentials: CredentialSource) => IdentityClient;
  /** Likewise, for who has no certificate yet, or none that is valid. Default: `connect`. */
  readonly connectToJoin?: ((credentials: CredentialSource) => IdentityClient) | undefined;
  /** How a server is reached of which nothing is known yet: through a proxy, for instance. Default: directly. */
  readonly openTcp?: OpenTcp | undefined;
}

/**
 * Who this node is. Its start resolves at once when a certificate is on disk, expired or not, so that a cut-off node
 * goes on; else it joins by the token, which may take as long as the network does. Start rejects with
 * `Unauthenticated`, `Forbidden` or `AlreadyExists` when the cluster refuses the node.
 */
export interface Identity extends Service {
  /** The current certificate; `Unavailable` before the node has joined. */
  readonly credentials: CredentialSource;
  /** The cluster's CA certificates, PEM; empty before the node has joined. */
  readonly clusterCa: string;
  /** Calls back after the certificate was replaced by another. */
  onChange(changed: () => void): Disposable;
}

/** The wall clock may be set while we wait: it is looked at again this often. */
const wakeEveryMs = 60_000;
const backoff = { initialMs: 5_000, maxMs: 300_000, resetAfterMs: 300_000 };

class NodeIdentity implements Identity {
  readonly name = 'identity';
  readonly #options: IdentityOptions;
  readonly #deps: IdentityDeps;
  readonly #vault;
  readonly #pendingKey;
  readonly #tasks;
  readonly #rotations;
  readonly #replaced;
  #held: { readonly joined: Joined; readonly credentials: Credentials } | undefined;
  #lastRotationMs: number | undefined;

  constructor(options: IdentityOptions, deps: IdentityDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#vault = createVault(options);
    this.#pendingKey = createPendingKey(options.pendingKeyPath);
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error, task) => deps.log.error('identity task failed', { task, error }) },
    );
    this.#replaced = createListeners<void>(deps.log);
    this.#rotations = deps.metrics.counter({
      name: 'selvedge_identity_rotations_total',
      help: 'Certificates asked for after the first, by outcome.',
    });
    deps.metrics.sampled(
      { name: 'selvedge_identity_certificate_expiry_seconds', help: 'When the certificate ends, Unix time.' },
      () => (this.#held?.joined.pair.notAfterMs ?? 0) / 1000,
    );
  }

  readonly credentials: CredentialSource = async () => {
    if (this.#held !== undefined) return this.#held.credentials;
    throw new SelvedgeError('this node has not joined the cluster yet', { code: 'Unavailable' });
  };

  get clusterCa(): string {
    return this.#held?.joined.clusterCa ?? '';
  }

  onChange(changed: () => void): Disposable {
    return this.#replaced.add(changed);
  }

  async start(signal: AbortSignal): Promise<void> {
    const known = await this.#vault.load();
    if (known === undefined) await this.#join({ rejoin: false }, signal);
    else this.#hold(known);
    this.#tasks.run('rotation', (inner) => this.#rotate(inner));
  }

  stop(): Promise<void> {
    return this.#tasks.stop();
  }

  #hold(joined: Joined): void {
    const { clusterCa, pair } = joined;
    this.#held = { joined, credentials: { certificateAuthority: clusterCa, clientCertificate: pair } };
    this.#deps.log.info('identity loaded', { notAfter: new Date(pair.notAfterMs).toISOString() });
  }

  async #join(how: { readonly rejoin: boolean }, signal: AbortSignal): Promise<void> {
    const { clock, random, log, connectToJoin: connect = this.#deps.connect, openTcp } = this.#deps;
    const delays = { initialMs: 1_000, maxMs: 30_000, resetAfterMs: 60_000 };
    const deps: JoinDeps = {
      clock,
      log,
      connect,
      openTcp,
      backoff: createBackoff(delays, { clock, random }),
      pendingKey: this.#pendingKey,
    };
    await this.#adopt(await join({ ...this.#options, ...how }, deps, signal));
  }

  async #adopt(joined: Joined): Promise<void> {
    await this.#vault.save(joined);
    await this.#pendingKey.forget();
    this.#lastRotationMs = this.#deps.clock.now();
    this.#hold(joined);
    this.#replaced.tell();
  }

  async #rotate(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#deps;
    const delays = createBackoff(backoff, { clock, random });
    while (!signal.aborted) {
      await this.#untilDue(signal);
      try {
        await this.#renew(signal);
        this.#rotations.add({ outcome: 'done' });
        delays.up();
      } catch (error) {
        signal.throwIfAborted();
        this.#rotations.add({ outcome: 'failed' });
        const level = this.#expired() ? 'error' : 'warn';
        log[level]('certificate not renewed', { error, expired: this.#expired() });
        await clock.sleep(delays.nextDelayMs(), signal);
      }
    }
  }

  async #untilDue(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    const pair = this.#held?.joined.pair;
    if (pair === undefined) return;
    const at = rotationTime(pair, this.#lastRotationMs, random);
    for (let left = at - clock.now(); left > 0; left = at - clock.now()) {
      await clock.sleep(Math.min(left, wakeEveryMs), signal);
    }
  }

  #expired(): boolean {
    return (this.#held?.joined.pair.notAfterMs ?? 0) <= this.#deps.clock.now();
  }

  /** With the certificate while it lasts, after that only with a token. */
  async #renew(signal: AbortSignal): Promise<void> {
    const joined = this.#held?.joined;
    if (joined === undefined || this.#expired()) {
      await this.#join({ rejoin: true }, signal);
      return;
    }
    const { clock, log, connect } = this.#deps;
    const client = connect(this.credentials);
    try {
      const deps = { client, clock, log, pendingKey: this.#pendingKey };
      const pair = await issuePair(
        { nodeName: this.#options.nodeName, purpose: clientPurpose },
        deps,
        signal,
      );
      await this.#adopt({ clusterCa: joined.clusterCa, pair });
    } finally {
      await client.close();
    }
  }
}

/** Does no I/O before its start. */
export function createIdentity(options: IdentityOptions, deps: IdentityDeps): Identity {
  return new NodeIdentity(options, deps);
}
