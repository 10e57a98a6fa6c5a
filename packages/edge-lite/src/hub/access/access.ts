import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  SelvedgeError,
  createTaskGroup,
  hasCode,
  limitRepeats,
} from '@selvedge/kit';
import { ClientCertificates, type KubeClient } from '@selvedge/kube';
import type { RuntimeRepository } from '../../store/index.ts';
import type { Caller, PodIdentity, UserInfo } from '../request.ts';
import type { Upstream } from '../upstream/types.ts';
import { Authorizer } from './authorizer.ts';
import { type CallersOptions, callerOfUser, kindOfUser, nodeUser } from './callers.ts';
import { Decisions } from './decisions.ts';
import { createAccessMetrics } from './metrics.ts';
import { createOperators } from './operators.ts';
import { OwnCertificates } from './own-certificates.ts';
import type { Question } from './questions.ts';
import { SeenTokens } from './seen-tokens.ts';
import { SigningKeys } from './signing-keys.ts';
import { Tokens } from './tokens.ts';
import type { Access, Attributes, Decision, Presented } from './types.ts';
import { podOf } from './user.ts';
import { WallTime } from './wall-time.ts';

export interface AccessOptions {
  readonly nodeName: string;
  /** User names of certificate clients that have credentials of their own in the config. */
  readonly clients: readonly string[];
  /** Groups whose members may read while the cloud is away, by a certificate. */
  readonly operators: readonly string[];
  /** How long the API server's yes to a token is good. Default 2 minutes. */
  readonly acceptedTokenMs?: number | undefined;
  /** How long its no is. Default 10 seconds. */
  readonly refusedTokenMs?: number | undefined;
  /** Tokens remembered, those accepted and refused in this run and those on disk. Default 1,000 each. */
  readonly maxTokens?: number | undefined;
  /** An older decision is asked for again, while the cloud is in reach. Default 5 minutes. */
  readonly maxDecisionAgeMs?: number | undefined;
  /** Decisions remembered, in memory and on disk. Default 4,096. */
  readonly maxDecisions?: number | undefined;
  /** Those about one user; the node's own do not count and have `maxDecisions` for themselves. Default 1,024. */
  readonly maxDecisionsPerUser?: number | undefined;
}

export interface AccessDeps {
  /** As the node, straight to the API server. */
  readonly client: Pick<KubeClient, 'create' | 'raw'>;
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>;
  readonly runtime: RuntimeRepository;
  /** PEM of the authorities that sign the cluster's client certificates. Asked for each request. */
  readonly authorities: () => string;
  /** Whether it is one of this node's pods, by its uid too. */
  readonly hasPod: (pod: PodIdentity) => boolean;
  /** Whether the hub handed out the token with this hash: SHA-256, hexadecimal. */
  readonly knownToken: (hash: string) => boolean;
  /** Nobody can guess it. */
  readonly newUid: () => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

const minuteMs = 60_000;
const maxCertificates = 256;

/** Who asks, and whether he may. */
class HubAccess implements Access {
  readonly name = 'hub access';
  readonly #callers: CallersOptions;
  readonly #deps: AccessDeps;
  readonly #time;
  readonly #own;
  readonly #certificates;
  readonly #seen;
  readonly #keys;
  readonly #tokens;
  readonly #decisions;
  readonly #authorizer;
  readonly #operators;
  readonly #maxDecisionAgeMs;
  readonly #metrics;
  readonly #tasks;
  #connectivity: Disposable | undefined;

  constructor(options: AccessOptions, deps: AccessDeps) {
    const { maxTokens = 1_000 } = options;
    const log = limitRepeats({ windowMs: 10 * minuteMs }, deps);
    const online = (): boolean => deps.upstream.connectivity.kind === 'online';
    const inReach = (): boolean => deps.upstream.connectivity.kind !== 'offline';
    this.#deps = deps;
    this.#callers = {
      nodeName: options.nodeName,
      clients: new Set(options.clients),
      operators: new Set(options.operators),
    };
    const { maxDecisions = 4_096, maxDecisionsPerUser = 1_024, nodeName } = options;
    const reserved = nodeUser(nodeName);
    this.#decisions = new Decisions({ maxDecisions, maxDecisionsPerUser, reserved }, deps);
    const metrics = createAccessMetrics(deps.metrics, () => this.#decisions.size);
    this.#metrics = metrics;
    this.#time = new WallTime({ ...deps, online });
    this.#own = new OwnCertificates(deps);
    this.#certificates = new ClientCertificates(
      { maxCertificates },
      {
        ...deps,
        isPlausible: () => this.#time.isPlausible(),
        outlivesItsEnd: (user) => !online() && this.#own.has(user),
      },
    );
    this.#seen = new SeenTokens({ maxTokens }, deps);
    this.#keys = new SigningKeys({ ...deps, log, online });
    this.#tokens = new Tokens(
      {
        acceptedMs: options.acceptedTokenMs ?? 2 * minuteMs,
        refusedMs: options.refusedTokenMs ?? 10_000,
        maxTokens,
      },
      { ...deps, online: inReach, time: this.#time, seen: this.#seen, keys: this.#keys, metrics },
    );
    this.#maxDecisionAgeMs = options.maxDecisionAgeMs ?? 5 * minuteMs;
    this.#authorizer = new Authorizer({ ...deps, online: inReach, decisions: this.#decisions, metrics });
    const isOperator = (user: UserInfo): boolean => kindOfUser(user, this.#callers) === 'operator';
    this.#operators = createOperators({ isOperator, online });
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error, task) => deps.log.error('access task failed', { task, error }) },
    );
  }

  async start(): Promise<void> {
    this.#time.load();
    this.#own.load();
    this.#seen.load();
    this.#keys.load();
    this.#decisions.load();
    this.#connectivity = this.#deps.upstream.onConnectivity(({ kind }) => {
      if (kind !== 'online') return;
      this.#keys.refresh();
      for (const question of this.#operators.dismiss()) this.#authorizer.withdraw(question);
    });
    this.#tasks.run('signing keys', (signal) => this.#keys.run(signal));
  }

  async stop(): Promise<void> {
    this.#connectivity?.[Symbol.dispose]();
    await this.#tasks.stop();
  }

  async authenticate(presented: Presented, signal: AbortSignal): Promise<Caller> {
    const { certificate, bearerToken } = presented;
    this.#time.look();
    const method = certificate !== undefined ? 'certificate' : bearerToken === undefined ? 'none' : 'token';
    try {
      const caller = await this.#callerOf(presented, signal);
      this.#metrics.authentications.add({ method, outcome: 'accepted' });
      return caller;
    } catch (error) {
      signal.throwIfAborted();
      this.#metrics.authentications.add({ method, outcome: 'refused' });
      throw error;
    }
  }

  authorize(user: UserInfo, attributes: Attributes, signal: AbortSignal): Promise<Decision> {
    return this.#decide({ user, attributes }, this.#maxDecisionAgeMs, signal);
  }

  reauthorize(user: UserInfo, attributes: Attributes, signal: AbortSignal): Promise<Decision> {
    return this.#decide({ user, attributes }, 0, signal);
  }

  onWithdrawn(withdrawn: (user: UserInfo, attributes: Attributes) => void): Disposable {
    return this.#authorizer.onWithdrawn(withdrawn);
  }

  async #decide(question: Question, maxAgeMs: number, signal: AbortSignal): Promise<Decision> {
    if (this.#operators.includes(question.user)) return this.#operators.decide(question);
    return this.#authorizer.decide(question, maxAgeMs, signal);
  }

  /** As the API server: a certificate comes before a token, which counts where the certificate does not. */
  async #callerOf({ certificate, bearerToken }: Presented, signal: AbortSignal): Promise<Caller> {
    const vouched = certificate === undefined ? undefined : this.#vouched(certificate, bearerToken);
    if (vouched !== undefined) return vouched;
    if (bearerToken === undefined || bearerToken === '') throw this.#strange(bearerToken);
    const user = await this.#tokens.userOf(bearerToken, signal);
    return { kind: 'token', user, token: bearerToken, pod: podOf(user) };
  }

  /**
   * A kubelet that renews its certificate shows none when that has ended, and exits where its request for another is
   * answered 401; in a cut nobody can give it one, and it shall go on. Source: `pkg/kubelet/certificate/transport.go`.
   */
  #strange(bearerToken: string | undefined): SelvedgeError {
    const away = bearerToken === undefined && this.#deps.upstream.connectivity.kind === 'offline';
    const message = 'the request shows neither a client certificate nor a bearer token';
    return new SelvedgeError(message, { code: away ? 'Unavailable' : 'Unauthenticated' });
  }

  /** Undefined: the certificate is not valid, and there is a token. */
  #vouched(certificate: Uint8Array, bearerToken: string | undefined): Caller | undefined {
    try {
      const caller = callerOfUser(this.#certificates.userOf(certificate), this.#callers);
      if (caller.kind === 'node' && this.#deps.upstream.connectivity.kind === 'online') {
        this.#own.add(caller.user);
      }
      return caller;
    } catch (error) {
      if (bearerToken === undefined || !hasCode(error, 'Unauthenticated')) throw error;
      return undefined;
    }
  }
}

/** Does no I/O before its start, and needs no cloud for it. */
export function createAccess(options: AccessOptions, deps: AccessDeps): Access {
  return new HubAccess(options, deps);
}
