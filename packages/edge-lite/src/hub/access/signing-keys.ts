import {
  type Backoff,
  type Clock,
  type Logger,
  type Random,
  SelvedgeError,
  createBackoff,
  createPoke,
} from '@selvedge/kit';
import type { KubeClient } from '@selvedge/kube';
import * as v from 'valibot';
import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';

/** A public key, as JSON Web Key. Source: RFC 7517, RFC 7518. */
export interface SigningKey {
  readonly kid: string;
  readonly kty: 'RSA' | 'EC';
  readonly alg?: string;
  readonly n?: string;
  readonly e?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
}

/** By what tokens of this cluster's service accounts are told. */
export interface Issuer {
  readonly issuer: string;
  /** Of the API server: a token must be meant for one of them. */
  readonly audiences: readonly string[];
  readonly keys: readonly SigningKey[];
}

export interface SigningKeysDeps {
  /** As the node, straight to the API server. */
  readonly client: Pick<KubeClient, 'raw'>;
  readonly runtime: RuntimeRepository;
  readonly online: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const issuerKind: RuntimeKind<Issuer> = { name: 'hub-token-issuer' };
const issuerKey = 'cluster';

const timeoutMs = 20_000;
/** How often an unknown key makes us ask, at most. */
const minRefreshMs = 60_000;
const maxKeys = 64;
const maxAudiences = 16;
const retry = { initialMs: 5_000, maxMs: 300_000, resetAfterMs: 0 };

const text = v.exactOptional(v.string());
const signingKey = v.object({
  kid: v.string(),
  kty: v.picklist(['RSA', 'EC']),
  alg: text,
  n: text,
  e: text,
  crv: text,
  x: text,
  y: text,
});
const discovery = v.object({ issuer: v.pipe(v.string(), v.minLength(1)) });
const keySet = v.object({ keys: v.pipe(v.array(v.unknown()), v.maxLength(maxKeys)) });

const isKey = (key: unknown): key is SigningKey => v.is(signingKey, key);

/**
 * The cluster's issuer and public keys, as it publishes them: asked for whenever the cloud comes back and when a token
 * names a key that is not known, kept for the time without. Source: kubernetes.io "Configure Service Accounts for Pods",
 * service account issuer discovery.
 */
export class SigningKeys {
  readonly #deps: SigningKeysDeps;
  readonly #poke;
  readonly #backoff: Backoff;
  #held: Issuer | undefined;
  #askedAtMs = -Infinity;

  constructor(deps: SigningKeysDeps) {
    this.#deps = deps;
    this.#poke = createPoke(deps.clock);
    this.#backoff = createBackoff(retry, deps);
  }

  get current(): Issuer | undefined {
    return this.#held;
  }

  load(): void {
    this.#held = this.#deps.runtime.get(issuerKind, issuerKey);
  }

  /** Asks until `signal` aborts, each time it is told to and until that succeeded. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = this.#deps.online() ? await this.#attempt(signal) : undefined;
      await this.#poke.wait(waitMs, signal);
    }
  }

  /** The cloud is back. */
  refresh(): void {
    this.#poke.poke();
  }

  /** A token that the API server accepted: with one of its audiences, signed by the key that it names. */
  learn(accepted: { readonly keyId: string | undefined; readonly audiences: readonly string[] }): void {
    this.#learnAudiences(accepted.audiences);
    const { keyId } = accepted;
    if (keyId === undefined || this.#held?.keys.some(({ kid }) => kid === keyId) === true) return;
    if (this.#deps.clock.monotonicMs() - this.#askedAtMs >= minRefreshMs) this.refresh();
  }

  #learnAudiences(accepted: readonly string[]): void {
    if (this.#held === undefined) return;
    const audiences = [...new Set([...this.#held.audiences, ...accepted])].slice(0, maxAudiences);
    if (audiences.length > this.#held.audiences.length) this.#hold({ ...this.#held, audiences });
  }

  #hold(issuer: Issuer): void {
    this.#held = issuer;
    this.#deps.runtime.put(issuerKind, { key: issuerKey, document: issuer }, { durable: false });
  }

  /** How long to wait before the next attempt. */
  async #attempt(signal: AbortSignal): Promise<number | undefined> {
    this.#askedAtMs = this.#deps.clock.monotonicMs();
    try {
      const issuer = await this.#fetch(signal);
      this.#backoff.up();
      this.#hold(issuer);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      this.#deps.log.warn('the keys of service-account tokens are not to be had', { error });
      return this.#backoff.nextDelayMs();
    }
  }

  async #fetch(signal: AbortSignal): Promise<Issuer> {
    const { issuer } = await this.#read('/.well-known/openid-configuration', discovery, signal);
    const { keys } = await this.#read('/openid/v1/jwks', keySet, signal);
    const learned = this.#held?.issuer === issuer ? this.#held.audiences : [];
    return { issuer, audiences: [...new Set([issuer, ...learned])], keys: keys.filter(isKey) };
  }

  async #read<T>(path: string, schema: v.GenericSchema<unknown, T>, signal: AbortSignal): Promise<T> {
    const call = { method: 'GET', path, accept: '*/*', timeoutMs, signal };
    const { body } = await this.#deps.client.raw(call);
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), body.toString('utf8'));
    if (parsed.success) return parsed.output;
    throw new SelvedgeError(`GET ${path}: the answer is not what it should be`, { code: 'Corrupt' });
  }
}
