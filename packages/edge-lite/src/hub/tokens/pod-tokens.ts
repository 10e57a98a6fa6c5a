import { type Clock, type MetricsRegistry, type Service, hasCode } from '@selvedge/kit';
import type { Pod, TokenRequest } from '@selvedge/kube/types';
import type { TokenQuery } from '../../pods/index.ts';
import type { RuntimeEntry, RuntimeKind, RuntimeRepository } from '../../store/index.ts';
import type { DecodeBody } from '../bodies/types.ts';
import { hashOfToken } from '../access/index.ts';
import { jsonResponse } from '../forward/index.ts';
import { ChangeCursor } from '../replica/index.ts';
import type { Change, ObjectName, Replica, ResourceReader } from '../replica/types.ts';
import type { HubRequest, HubResponse } from '../request.ts';
import type { ResourceRequest } from '../request-info/index.ts';
import { digestOf } from './digest.ts';
import type { AnswerMemory } from './types.ts';

export interface PodTokensOptions {
  /** Tokens that are kept; beyond them the one that was asked for first goes. Default 1,000. */
  readonly maxTokens?: number;
}

export interface PodTokensDeps {
  readonly runtime: RuntimeRepository;
  readonly replica: Pick<Replica, 'reader'>;
  readonly decodeBody: DecodeBody;
  readonly clock: Pick<Clock, 'now'>;
  readonly metrics: MetricsRegistry;
}

/** The last real token of each (pod, service account, audiences). Nothing is ever signed here. */
export interface PodTokens extends AnswerMemory, Service {
  /** Whether one is kept for this. */
  has(query: TokenQuery): boolean;
  /** Whether one of them has this hash, see `hashOfToken`. */
  knows(hash: string): boolean;
}

interface KeptToken {
  readonly pod: ObjectName & { readonly uid: string };
  readonly savedMs: number;
  readonly answer: TokenRequest;
}

const kind: RuntimeKind<KeptToken> = { name: 'hub-token', sealed: true };
const pods = 'v1/pods';

function keyOf({ pod, serviceAccount, audiences }: Omit<TokenQuery, 'expirationSeconds'>): string {
  return `${pod.uid}/${digestOf([pod.namespace, serviceAccount, audiences.toSorted()])}`;
}

/** What a token is for; undefined for one that is not bound to a pod. */
interface Purpose {
  readonly key: string;
  readonly pod: KeptToken['pod'];
}

function purposeOf({ namespace, name }: ResourceRequest, { spec = {} }: TokenRequest): Purpose | undefined {
  const { kind: boundTo, uid = '', name: pod = '' } = spec.boundObjectRef ?? {};
  if (boundTo !== 'Pod' || uid === '') return undefined;
  const of = { namespace, name: pod, uid };
  return { key: keyOf({ pod: of, serviceAccount: name, audiences: spec.audiences ?? [] }), pod: of };
}

const uidOf = (json: string | undefined): string | undefined =>
  json === undefined ? undefined : (JSON.parse(json) as Pod).metadata.uid;

class SealedTokens implements PodTokens {
  readonly name = 'pod tokens';
  readonly #maxTokens: number;
  readonly #deps: PodTokensDeps;
  /** The pods of what is kept, the oldest first. */
  readonly #kept = new Map<string, KeptToken['pod']>();
  readonly #hashes = new Map<string, string>();
  #pods: ResourceReader | undefined;
  #cursor: ChangeCursor | undefined;
  #subscription: Disposable | undefined;

  constructor(options: PodTokensOptions, deps: PodTokensDeps) {
    this.#maxTokens = options.maxTokens ?? 1_000;
    this.#deps = deps;
    const help = 'Tokens of pods that are kept for the time when the API server is away.';
    deps.metrics.sampled({ name: 'selvedge_hub_tokens', help }, () => this.#kept.size);
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const kept = this.#deps.runtime.list(kind);
    for (const { key, document } of kept.toSorted((a, b) => a.document.savedMs - b.document.savedMs)) {
      this.#keep(key, document);
    }
    this.#pods = this.#deps.replica.reader(pods);
    this.#cursor = new ChangeCursor(this.#pods);
    this.#subscription = this.#pods.subscribe(() => this.#follow());
  }

  async stop(): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
  }

  heard(request: HubRequest, about: ResourceRequest, { status, body }: HubResponse): void {
    if (request.caller.kind !== 'node' || status !== 201 || !(body instanceof Uint8Array)) return;
    const purpose = purposeOf(about, this.#decoded(request));
    const answer = JSON.parse(Buffer.from(body).toString('utf8')) as TokenRequest;
    if (purpose === undefined || answer.status?.token === undefined) return;
    const { key, pod } = purpose;
    const document = { pod, savedMs: this.#deps.clock.now(), answer };
    this.#keep(key, document);
    this.#write({ key, document });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#maxTokens && oldest !== undefined) this.#drop(oldest);
  }

  /**
   * With its real expiry, be it past: the kubelet keeps what it is given and asks again later, and the hub takes the
   * token for as long as the cloud is away. Source: `pkg/kubelet/token/token_manager.go`.
   */
  recall(request: HubRequest, about: ResourceRequest): HubResponse | undefined {
    if (request.caller.kind !== 'node') return undefined;
    const purpose = purposeOf(about, this.#decoded(request));
    const known = purpose !== undefined && this.#kept.has(purpose.key);
    const kept = known ? this.#deps.runtime.get(kind, purpose.key) : undefined;
    return kept === undefined ? undefined : jsonResponse(201, kept.answer);
  }

  has(query: TokenQuery): boolean {
    return this.#kept.has(keyOf(query));
  }

  knows(hash: string): boolean {
    return [...this.#hashes.values()].includes(hash);
  }

  /** On a disk that takes nothing it is held in memory, as far as there is room. */
  #write(entry: RuntimeEntry<KeptToken>): void {
    const { runtime } = this.#deps;
    try {
      runtime.put(kind, entry, { durable: true });
    } catch (error) {
      if (!hasCode(error, 'ResourceExhausted')) throw error;
      runtime.put(kind, entry, { durable: false });
    }
  }

  /** As the youngest. */
  #keep(key: string, { pod, answer }: KeptToken): void {
    this.#kept.delete(key);
    this.#kept.set(key, pod);
    this.#hashes.set(key, hashOfToken(answer.status?.token ?? ''));
  }

  #decoded({ headers, body = new Uint8Array() }: HubRequest): TokenRequest {
    const decoded = this.#deps.decodeBody({ contentType: headers['content-type'], bytes: body });
    return decoded as unknown as TokenRequest;
  }

  /** A token dies with its pod. */
  #follow(): void {
    if (this.#cursor?.catchUp((change) => this.#followOne(change)) === 'expired') this.#lookAll();
  }

  #lookAll(): void {
    this.#dropWhere((pod) => uidOf(this.#pods?.get(pod)?.json) !== pod.uid);
  }

  #followOne({ namespace, name, after }: Change): void {
    const concerned = [...this.#kept.values()].some(
      (pod) => pod.name === name && pod.namespace === namespace,
    );
    if (!concerned) return;
    const uid = uidOf(after);
    this.#dropWhere((pod) => pod.name === name && pod.namespace === namespace && pod.uid !== uid);
  }

  #dropWhere(gone: (pod: KeptToken['pod']) => boolean): void {
    for (const [key, pod] of this.#kept) if (gone(pod)) this.#drop(key);
  }

  #drop(key: string): void {
    this.#kept.delete(key);
    this.#hashes.delete(key);
    this.#deps.runtime.delete(kind, key);
  }
}

export function createPodTokens(options: PodTokensOptions, deps: PodTokensDeps): PodTokens {
  return new SealedTokens(options, deps);
}
