import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { createManualClock, recordingLogger, seededRandom, type ManualClock } from '@selvedge/kit/testing';
import { createKubeMetrics, type KubeObject } from '@selvedge/kube';
import { type Store, openStore } from '../../store/index.ts';
import type { Access, Attributes } from '../access/types.ts';
import { type RunningReplica, createReplica } from '../replica/index.ts';
import type { CoverageSpec } from '../replica/types.ts';
import type { Caller, UserInfo } from '../request.ts';
import { covers, matchesSelection } from '../selection/index.ts';
import { type CoveragesOptions, createCoverages } from './coverages.ts';
import { FakeApi } from './testing.ts';
import type { Coverages, Sponsor } from './types.ts';

export const nodeCaller: Caller = {
  kind: 'node',
  user: { username: 'system:node:shop-7', groups: ['system:nodes'] },
};

export const podCaller = (serviceAccount: string): Caller => ({
  kind: 'token',
  user: { username: `system:serviceaccount:shop:${serviceAccount}`, groups: ['system:serviceaccounts'] },
  token: 'secret',
  pod: undefined,
});

export const spec = (resource: string, selection: Partial<CoverageSpec> = {}): CoverageSpec => ({
  resource,
  namespace: '',
  labelSelector: '',
  fieldSelector: '',
  ...selection,
});

export const object = (name: string, more: Readonly<Record<string, unknown>> = {}): KubeObject => ({
  metadata: { namespace: 'shop', name, uid: name },
  ...more,
});
export const pods = spec('v1/pods');
export const own = spec('v1/pods', { fieldSelector: 'spec.nodeName=shop-7' });
export const secret = spec('v1/secrets', { namespace: 'shop', fieldSelector: 'metadata.name=login' });
export const forbidden = (): SelvedgeError => new SelvedgeError('no, never', { code: 'Forbidden' });
export const refusing =
  (...kinds: readonly Sponsor['kind'][]) =>
  ({ kind }: Sponsor): SelvedgeError | undefined =>
    kinds.includes(kind) ? forbidden() : undefined;

/** Decisions of an API server: everybody may do everything but what is forbidden here. */
class FakeAccess implements Pick<Access, 'authorize' | 'reauthorize' | 'onWithdrawn'> {
  readonly asked: string[] = [];
  /** `system:serviceaccount:shop:till watch secrets`, and an answer that cannot be had. */
  readonly forbidden = new Set<string>();
  unknown = false;
  readonly #listeners = new Set<(user: UserInfo, attributes: Attributes) => void>();

  async authorize(user: UserInfo, attributes: Attributes): ReturnType<Access['authorize']> {
    if (attributes.kind !== 'resource') throw new TypeError('not of a resource');
    const question = `${user.username} ${attributes.verb} ${attributes.resource}`;
    this.asked.push(question);
    if (this.unknown) throw new SelvedgeError('nobody ever asked', { code: 'Unavailable' });
    return { allowed: !this.forbidden.has(question), reason: 'RBAC says so' };
  }

  reauthorize(user: UserInfo, attributes: Attributes): ReturnType<Access['authorize']> {
    return this.authorize(user, attributes);
  }

  onWithdrawn(withdrawn: (user: UserInfo, attributes: Attributes) => void): Disposable {
    this.#listeners.add(withdrawn);
    return { [Symbol.dispose]: () => void this.#listeners.delete(withdrawn) };
  }

  withdraw(user: UserInfo, attributes: Attributes): void {
    for (const listener of this.#listeners) listener(user, attributes);
  }
}

/** Coverages on a disk of their own before an API server in memory. */
export class CoveragesWorld implements AsyncDisposable {
  readonly api = new FakeApi();
  readonly access = new FakeAccess();
  readonly clock: ManualClock = createManualClock();
  readonly log = recordingLogger();
  readonly forgotten: string[] = [];
  /** What must go up first after a heal. */
  ready: (signal: AbortSignal) => Promise<void> = async () => undefined;
  readonly #folder: string;
  readonly #options: CoveragesOptions;
  #store: Store | undefined;
  #running: { readonly coverages: Coverages; readonly replica: RunningReplica } | undefined;

  constructor(folder: string, options: CoveragesOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  get coverages(): Coverages {
    return this.#now().coverages;
  }

  get replica(): RunningReplica {
    return this.#now().replica;
  }

  get store(): Store {
    if (this.#store === undefined) throw new TypeError('not started');
    return this.#store;
  }

  /** Names of what is shown. */
  shown(resource: string): readonly string[] {
    const page = this.replica.reader(resource).page({ limit: 1_000 });
    return page === 'expired' ? ['expired'] : page.map(({ name }) => name);
  }

  object(resource: string, name: string, namespace = ''): KubeObject | undefined {
    const shown = this.replica.reader(resource).get({ namespace, name });
    return shown === undefined ? undefined : (JSON.parse(shown.json) as KubeObject);
  }

  async start(): Promise<void> {
    const path = join(this.#folder, 'state.db');
    this.#store = await openStore({ path, sealKeyPath: join(this.#folder, 'seal.key'), driver: 'node' });
    const metrics = createMetricsRegistry();
    const { api, access, clock, log } = this;
    const shared = { clock, random: seededRandom(5), log, metrics };
    const replica = createReplica(
      {},
      {
        ...shared,
        store: this.store.replica,
        rebase: (_resource, { current }) => current,
        applyViews: (_resource, shown) => shown,
        matchesSelection,
      },
    );
    const coverages = createCoverages(this.#options, {
      ...shared,
      replica,
      upstream: api,
      access,
      covers,
      ready: (signal) => this.ready(signal),
      documents: this.store.runtime,
      sponsorTokens: { forget: ({ serviceAccount }) => void this.forgotten.push(serviceAccount) },
      kubeMetrics: createKubeMetrics(metrics),
    });
    this.#running = { coverages, replica };
    const { signal } = new AbortController();
    await replica.start(signal);
    await coverages.start(signal);
    await clock.advance(0);
  }

  async stop(): Promise<void> {
    await this.#running?.coverages.stop();
    await this.#running?.replica.stop();
    this.#running = undefined;
    this.#store?.close();
    this.#store = undefined;
  }

  /** As a new process finds it. */
  async restart(): Promise<void> {
    await this.stop();
    this.api.requests.length = 0;
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true });
    if (this.clock.sleepers > 0 || this.api.open > 0) throw new Error('something of it is left');
  }

  #now(): { readonly coverages: Coverages; readonly replica: RunningReplica } {
    if (this.#running === undefined) throw new TypeError('not started');
    return this.#running;
  }
}

export async function createCoveragesWorld(options: CoveragesOptions = {}): Promise<CoveragesWorld> {
  return new CoveragesWorld(await mkdtemp(join(tmpdir(), 'coverages-')), options);
}
