import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { createManualClock, type ManualClock } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import type { Coverage, CoverageHold, CoverageState, Wish } from '../coverages/types.ts';
import type {
  Change,
  CoverageSpec,
  ObjectName,
  PageQuery,
  Replica,
  ResourceReader,
  Shown,
} from '../replica/types.ts';

import type { HubRequest, HubResponse } from '../request.ts';
import { covers } from '../selection/index.ts';
import type { Connectivity } from '../upstream/types.ts';
import type { PointEntries } from './points.ts';
import { createReads } from './reads.ts';

const order = (a: ObjectName, b: ObjectName): number => {
  const [left, right] = [`${a.namespace}\0${a.name}`, `${b.namespace}\0${b.name}`];
  return left === right ? 0 : left < right ? -1 : 1;
};

const atOnce = (): Promise<void> => Promise.resolve();

/** A history in memory, with states at every version since its floor. */
export class MemoryReader implements ResourceReader {
  readonly resource: string;
  readonly #changes: Change[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #first: bigint;
  #version: bigint;
  floor: bigint;

  constructor(resource: string, floor = 1_000n) {
    this.resource = resource;
    this.floor = floor;
    this.#first = floor;
    this.#version = floor;
  }

  get version(): bigint {
    return this.#version;
  }

  get lastEntry(): bigint {
    return this.#changes.at(-1)?.version ?? this.#first;
  }

  /** Puts or, without an object, deletes. Returns the version. */
  change(at: ObjectName, object: KubeObject | undefined): bigint {
    const version = this.#version + 1n;
    const before = this.get(at)?.json;
    const resourceVersion = String(version);
    const shown = object && { ...object, metadata: { ...object.metadata, ...at, resourceVersion } };
    this.#changes.push({ ...at, version, before, after: shown && JSON.stringify(shown) });
    this.rise(version);
    return version;
  }

  rise(version: bigint): void {
    this.#version = version;
    for (const listener of this.#listeners) listener();
  }

  get(at: ObjectName): Shown | undefined {
    return this.#state(this.#version).find((row) => order(row, at) === 0);
  }

  page({ namespace, after, limit, at = this.#version }: PageQuery): readonly Shown[] | 'expired' {
    if (at < this.floor) return 'expired';
    return this.#state(at)
      .filter((row) => namespace === undefined || row.namespace === namespace)
      .filter((row) => after === undefined || order(row, after) > 0)
      .slice(0, limit);
  }

  changesAfter(version: bigint, limit: number): readonly Change[] | 'expired' {
    if (version < this.floor || version > this.#version) return 'expired';
    return this.#changes.filter((change) => change.version > version).slice(0, limit);
  }

  subscribe(rose: () => void): Disposable {
    this.#listeners.add(rose);
    return { [Symbol.dispose]: () => void this.#listeners.delete(rose) };
  }

  get subscribers(): number {
    return this.#listeners.size;
  }

  #state(at: bigint): Shown[] {
    const rows = new Map<string, Shown>();
    for (const { namespace, name, version, after } of this.#changes) {
      if (version > at) break;
      const key = `${namespace}/${name}`;
      if (after === undefined) rows.delete(key);
      else rows.set(key, { namespace, name, version, json: after });
    }
    return [...rows.values()].toSorted(order);
  }
}

export function podOf(
  labels: Readonly<Record<string, string>> = {},
  nodeName = 'n',
): KubeObject & { readonly spec: object } {
  return { kind: 'Pod', apiVersion: 'v1', metadata: { labels }, spec: { nodeName } };
}

/** Reads over histories in memory; what the tests turn are its fields. */
export class ReadsWorld {
  readonly clock: ManualClock = createManualClock();
  readonly readers = new Map<string, MemoryReader>();
  readonly pods: MemoryReader = this.reader('v1/pods');
  readonly forwarded: HubRequest[] = [];
  readonly remembered = new Map<string, string>();
  connectivity: Connectivity = { kind: 'online', sinceMs: 0, server: 'https://cloud' };
  coverages: CoverageSpec[] = [{ resource: 'v1/pods', namespace: '', labelSelector: '', fieldSelector: '' }];
  coverageState: CoverageState = { kind: 'live' };
  synced = true;
  /** Of the coverage. */
  id = 1;
  completeSince = '0';
  upstreamVersion = '1';
  mayRead: boolean | undefined = true;
  /** The API server was asked about single objects, too. */
  asked = true;
  holds = 0;
  replica: Pick<Replica, 'coverages' | 'reader'> = {
    reader: (resource) => this.reader(resource),
    coverages: () => this.coverages.map((spec) => this.#coverageOf(spec).record),
  };
  forward: (request: HubRequest) => Promise<HubResponse> = async () => {
    return { status: 200, headers: { 'x-from': 'upstream' }, body: Buffer.from('{}') };
  };
  #revocations = new Set<AbortController>();

  reader(resource: string): MemoryReader {
    const known = this.readers.get(resource) ?? new MemoryReader(resource);
    this.readers.set(resource, known);
    return known;
  }

  cut(): void {
    this.connectivity = { kind: 'offline', sinceMs: this.clock.now(), reason: 'cut' };
  }

  revoke(reason = new SelvedgeError('pods is forbidden: withdrawn', { code: 'Forbidden' })): void {
    for (const controller of this.#revocations) controller.abort(reason);
  }

  #coverage(spec: CoverageSpec): Coverage | undefined {
    const found = this.coverages.find((wide) => covers(wide, spec));
    return found === undefined ? undefined : this.#coverageOf(found);
  }

  #coverageOf(spec: CoverageSpec): Coverage {
    const recordNow = (): Coverage['record'] => {
      const { id, synced, completeSince, upstreamVersion } = this;
      return { ...spec, id, upstreamVersion, synced, completeSince };
    };
    return {
      get record() {
        return recordNow();
      },
      state: this.coverageState,
      running: { kind: 'node' },
      whenSynced: atOnce,
      whenLive: atOnce,
    };
  }

  #join(spec: CoverageSpec): CoverageHold {
    const coverage = this.#coverage(spec);
    if (coverage === undefined || this.mayRead === undefined) {
      throw new SelvedgeError('nothing held answers it', { code: 'Unavailable' });
    }
    if (!this.mayRead) throw new SelvedgeError('pods is forbidden', { code: 'Forbidden' });
    const revocation = new AbortController();
    this.#revocations.add(revocation);
    this.holds += 1;
    return { coverage, revoked: revocation.signal, [Symbol.dispose]: () => void (this.holds -= 1) };
  }

  /** Those that there are when it is looked at. */
  readonly #coverages = (() => {
    const allOf = (): readonly Coverage[] => this.coverages.map((spec) => this.#coverageOf(spec));
    return {
      get all() {
        return allOf();
      },
      join: async ({ spec }: Wish) => this.#join(spec),
      covering: (spec: CoverageSpec) => (this.synced ? this.#coverage(spec) : undefined),
    };
  })();

  readonly #points: PointEntries = {
    remember: () => undefined,
    forget: ({ name }, { username }) => void this.remembered.delete(`${username}/${name}`),
    knows: () => false,
    hasRead: ({ name }, { username }) => this.remembered.has(`${username}/${name}`),
    recall: ({ name }, { username }) => this.remembered.get(`${username}/${name}`),
  };

  readonly #handle = createReads(
    { nodeName: 'shop-7' },
    {
      replica: {
        reader: (resource) => this.replica.reader(resource),
        coverages: () => this.replica.coverages(),
      },
      coverages: this.#coverages,
      access: {
        authorize: async () => {
          if (this.mayRead !== undefined && this.asked) return { allowed: this.mayRead, reason: '' };
          throw new SelvedgeError('nobody asked', { code: 'Unavailable' });
        },
      },
      upstream: this,
      forward: async (request) => {
        this.forwarded.push(request);
        return await this.forward(request);
      },
      points: this.#points,
      types: {
        kindOf: (resource) => (resource === 'v1/pods' ? 'Pod' : undefined),
        customFields: () => undefined,
        customColumns: () => undefined,
      },
      clock: this.clock,
      random: () => 0.5,
      metrics: createMetricsRegistry(),
    },
  );

  send(url: string, options: Partial<HubRequest> = {}): Promise<HubResponse> {
    const [path = '', query = ''] = url.split('?');
    return this.#handle({
      method: 'GET',
      path,
      query: new URLSearchParams(query),
      headers: {},
      body: undefined,
      caller: { kind: 'node', user: { username: 'system:node:shop-7', groups: ['system:nodes'] } },
      signal: new AbortController().signal,
      ...options,
    });
  }

  async json(url: string, options: Partial<HubRequest> = {}): Promise<unknown> {
    const { body } = await this.send(url, options);
    return JSON.parse(await textOf(body));
  }
}

async function textOf(body: HubResponse['body']): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8');
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

export interface TestEvent {
  readonly type: string;
  readonly object: KubeObject & { readonly code?: number; readonly message?: string };
}

/** The events of a watch, one by one. */
export class EventReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #lines: string[] = [];

  constructor({ body }: HubResponse) {
    if (body instanceof Uint8Array) throw new TypeError('no stream');
    this.#chunks = body[Symbol.asyncIterator]();
  }

  /** Undefined: the watch has ended. */
  async next(): Promise<TestEvent | undefined> {
    while (this.#lines.length === 0) {
      const chunk = await this.#chunks.next();
      if (chunk.done === true) return undefined;
      this.#lines = Buffer.from(chunk.value).toString('utf8').split('\n').slice(0, -1);
    }
    return JSON.parse(this.#lines.shift() ?? '') as TestEvent;
  }

  /** `ADDED a@1001`, of so many events. */
  async take(count: number): Promise<readonly string[]> {
    const lines: string[] = [];
    while (lines.length < count) {
      const event = await this.next();
      if (event === undefined) return [...lines, 'END'];
      const { name = '-', resourceVersion = '' } = event.object.metadata;
      lines.push(`${event.type} ${name}@${resourceVersion}`);
    }
    return lines;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
