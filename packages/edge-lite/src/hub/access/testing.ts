import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetricsRegistry } from '@selvedge/kit';
import { type ManualClock, createManualClock, recordingLogger, seededRandom } from '@selvedge/kit/testing';
import { type RuntimeKind, type Store, openStore } from '../../store/index.ts';
import { type AccessOptions, createAccess } from './access.ts';
import { TestApi } from './testing-api.ts';
import type { Access, Attributes } from './types.ts';

type Saved = Readonly<Record<string, unknown>>;

interface Running {
  readonly access: Access;
  readonly metrics: () => string;
}

/** An access on a disk of its own before an API server in memory. */
export class AccessWorld implements AsyncDisposable {
  readonly clock: ManualClock = createManualClock();
  readonly api = new TestApi(this.clock);
  readonly log = recordingLogger();
  /** uids of this node's pods. */
  readonly pods = new Set<string>();
  /** Hashes of tokens that the hub handed out. */
  readonly handedOut = new Set<string>();
  /** PEM. */
  authorities = '';
  readonly folder: string;
  readonly #options: Partial<AccessOptions>;
  #store: Store | undefined;
  #running: Running | undefined;

  constructor(folder: string, options: Partial<AccessOptions>) {
    this.folder = folder;
    this.#options = options;
  }

  get access(): Access {
    if (this.#running === undefined) throw new TypeError('not started');
    return this.#running.access;
  }

  metrics(): string {
    return this.#running?.metrics() ?? '';
  }

  /** The documents of a kind on disk. */
  saved(name: string): readonly Saved[] {
    const kind: RuntimeKind<Saved> = { name };
    return this.#store?.runtime.list(kind).map(({ document }) => document) ?? [];
  }

  async start(): Promise<void> {
    const { folder, api, clock, log, pods, handedOut } = this;
    const disk = { path: join(folder, 'state.db'), sealKeyPath: join(folder, 'seal.key') };
    const store = await openStore({ ...disk, driver: 'node' });
    const metrics = createMetricsRegistry();
    const access = createAccess(
      { nodeName: 'edge', clients: ['system:kube-proxy'], operators: ['system:masters'], ...this.#options },
      {
        client: api.client,
        upstream: api,
        runtime: store.runtime,
        authorities: () => this.authorities,
        hasPod: ({ uid }) => pods.has(uid),
        knownToken: (hash) => handedOut.has(hash),
        newUid: () => 'unguessable',
        clock,
        random: seededRandom(1),
        log,
        metrics,
      },
    );
    await access.start(new AbortController().signal);
    this.#store = store;
    this.#running = { access, metrics: () => metrics.render() };
    await clock.advance(0);
  }

  async stop(): Promise<void> {
    await this.#running?.access.stop();
    this.#store?.close();
  }

  /** Another one on the same disk. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true });
  }
}

/** Started. */
export async function createAccessWorld(options: Partial<AccessOptions> = {}): Promise<AccessWorld> {
  const world = new AccessWorld(await mkdtemp(join(tmpdir(), 'access-')), options);
  await world.start();
  return world;
}

export type ResourceAttributes = Attributes & { readonly kind: 'resource' };

/** A list of the Services in a namespace. */
export const listing = (changed: Partial<ResourceAttributes> = {}): ResourceAttributes => ({
  kind: 'resource',
  verb: 'list',
  group: '',
  version: 'v1',
  resource: 'services',
  subresource: '',
  namespace: 'shop',
  name: '',
  labelSelector: '',
  fieldSelector: '',
  ...changed,
});
