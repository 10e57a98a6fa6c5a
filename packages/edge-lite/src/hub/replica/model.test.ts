import { fc, test } from '@fast-check/vitest';
import type { KubeObject } from '@selvedge/kube';
import { expect } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import type { RunningReplica } from './replica.ts';
import { Cloud, type Selector, keyOf, made, matches, revised, selectors } from './testing-cloud.ts';
import { isHeartbeat } from './content.ts';
import { natural } from './versions.ts';
import { type Thing, createTestReplica, statusOver } from './testing.ts';
import { contentOf, often, parse, places, resource, revisionOf, tinted } from './testing-model.ts';
import type { Change, ObjectName, Relist, Shown } from './types.ts';

/** A local client: it lists in pages, then watches, and comes back with the version that it saw last. */
class Client {
  readonly selector: Selector;
  state:
    | { readonly kind: 'lost' }
    | { readonly kind: 'listing'; readonly at: bigint; readonly items: readonly Shown[] }
    | { readonly kind: 'watching'; readonly at: bigint } = { kind: 'lost' };
  items = new Map<string, Shown>();
  /** The highest version of each object that it ever saw. */
  readonly seen = new Map<string, bigint>();

  constructor(selector: Selector) {
    this.selector = selector;
  }

  /** One request: a page, or some events. */
  step(replica: RunningReplica, limit: number): void {
    const reader = replica.reader(resource);
    const { state } = this;
    if (state.kind === 'watching') this.#watch(replica, state.at, limit);
    else {
      const { at, items } = state.kind === 'listing' ? state : { at: reader.version, items: [] };
      const page = reader.page({ at, after: items.at(-1), limit });
      if (page === 'expired') this.state = { kind: 'lost' };
      else if (page.length < limit) this.#listed(at, [...items, ...page]);
      else this.state = { kind: 'listing', at, items: [...items, ...page] };
    }
  }

  /** As a new process: it lists again. */
  lose(): void {
    this.state = { kind: 'lost' };
  }

  /** Until it has seen all there is. */
  drain(replica: RunningReplica): void {
    const { version } = replica.reader(resource);
    for (let round = 0; this.state.kind !== 'watching' || this.state.at !== version; round += 1) {
      expect(round).toBeLessThan(200);
      this.step(replica, 3);
    }
  }

  #listed(at: bigint, items: readonly Shown[]): void {
    this.items = new Map();
    for (const item of items) {
      const object = JSON.parse(item.json) as KubeObject;
      expect(object.metadata.resourceVersion).toBe(item.version.toString());
      if (!matches(this.selector, object)) continue;
      const seen = this.seen.get(keyOf(item)) ?? 0n;
      expect(item.version >= seen).toBe(true);
      this.seen.set(keyOf(item), item.version);
      this.items.set(keyOf(item), item);
    }
    this.state = { kind: 'watching', at };
  }

  #watch(replica: RunningReplica, from: bigint, limit: number): void {
    const reader = replica.reader(resource);
    const changes = reader.changesAfter(from, limit);
    if (changes === 'expired') {
      this.state = { kind: 'lost' };
      return;
    }
    let at = from;
    for (const change of changes) {
      expect(change.version > at).toBe(true);
      at = change.version;
      this.#take(change);
    }
    this.state = { kind: 'watching', at: changes.length < limit ? reader.version : at };
  }

  #take({ version, before, after, namespace, name }: Change): void {
    const key = keyOf({ namespace, name });
    const [was, is] = [before, after].map((json) => matches(this.selector, parse(json)));
    expect(this.items.get(key)?.json).toBe(was ? before : undefined);
    if (!was && !is) return;
    expect(version > (this.seen.get(key) ?? 0n)).toBe(true);
    this.seen.set(key, version);
    if (was && is) expect(revisionOf(after)).toBeGreaterThanOrEqual(revisionOf(before));
    if (is && after !== undefined) this.items.set(key, { namespace, name, version, json: after });
    else this.items.delete(key);
  }
}

/** The whole: a cloud, the replica with two overlapping coverages, and clients. */
class World {
  readonly cloud = new Cloud();
  readonly clients = [new Client(''), new Client('x'), new Client('')];
  readonly temporary: TemporaryStore;
  readonly maxHistoryEntries: number;
  replica: RunningReplica;
  tint = 0;
  #seed = 1;
  readonly overlaid = new Map<string, { readonly uid: string; readonly status: Thing['status'] }>();
  readonly relists = new Map<Selector, { readonly relist: Relist; readonly at: number; rest: Thing[] }>();

  constructor(temporary: TemporaryStore, maxHistoryEntries: number) {
    this.temporary = temporary;
    this.maxHistoryEntries = maxHistoryEntries;
    this.replica = this.#open();
  }

  #open(): RunningReplica {
    this.#seed += 1;
    const options = { maxHistoryEntries: this.maxHistoryEntries, seed: this.#seed, maxWaiting: 3 };
    return createTestReplica(this.temporary.store, options, {
      applyViews: (name, object) => tinted(this.tint)(name, object),
    });
  }

  #shown(): readonly Shown[] {
    const page = this.replica.reader(resource).page({ limit: 100 });
    return page === 'expired' ? [] : page;
  }

  async restart(inPeace: boolean): Promise<void> {
    const before = this.#shown();
    if (inPeace) await this.replica.stop();
    await this.temporary.reopen();
    this.relists.clear();
    this.replica = this.#open();
    this.#expectKept(before, inPeace);
    const laid = this.replica.overlays().map(keyOf);
    expect(laid.toSorted()).toEqual([...this.overlaid.keys()].toSorted());
    this.replica.refresh(resource);
  }

  /** A crash loses heartbeats and nothing else: then even an object may be older than a client saw it. */
  #expectKept(before: readonly Shown[], inPeace: boolean): void {
    const after = this.#shown();
    if (inPeace) expect(after).toEqual(before);
    expect(after.map(keyOf)).toEqual(before.map(keyOf));
    for (const [index, { json }] of after.entries())
      expect(isHeartbeat(resource, json, before[index]?.json ?? '{}')).toBe(true);
    for (const { seen } of this.clients)
      for (const [key, version] of seen) {
        const now = after.find((shown) => keyOf(shown) === key)?.version ?? version;
        seen.set(key, now < version ? now : version);
      }
  }

  coverage(selector: Selector): ReturnType<RunningReplica['addCoverage']> {
    return this.replica.addCoverage({ resource, namespace: '', labelSelector: selector, fieldSelector: '' });
  }

  put(at: ObjectName, labelled = true): void {
    this.cloud.change(at, (old, revision) => {
      const fresh = made(at, revision, labelled);
      return { ...fresh, metadata: { ...fresh.metadata, uid: old?.metadata.uid ?? fresh.metadata.uid } };
    });
  }

  /** Some steps of the upstream watch; without a first list nothing is followed. */
  deliver(selector: Selector, steps: number): void {
    const { id, synced, upstreamVersion } = this.coverage(selector);
    if (!synced || this.relists.has(selector)) return;
    const ahead = this.cloud.log.filter(({ revision }) => revision > Number(upstreamVersion)).slice(0, steps);
    const changes = ahead.map((event) => Cloud.seen(selector, event)).filter((one) => one !== undefined);
    const done = ahead.length < steps ? this.cloud.revision : ahead.at(-1)?.revision;
    const ofNow = this.#ofNow();
    this.replica.apply(id, changes, String(done ?? this.cloud.revision));
    // Whoever is behind takes nothing away that upstream has, and brings nothing back that it has not.
    for (const key of ofNow.there) expect(this.#shown().map(keyOf)).toContain(key);
    for (const key of ofNow.gone) expect(this.#shown().map(keyOf)).not.toContain(key);
  }

  /** What the replica knows already, as of now: objects that it shows in their last state, and those that are no more. */
  #ofNow(): { readonly there: readonly string[]; readonly gone: readonly string[] } {
    const keys = places.map((at) => [keyOf(at), this.replica.base(resource, at)] as const);
    const versionOf = (key: string): string | undefined =>
      this.cloud.objects.get(key)?.metadata.resourceVersion;
    const isCurrent = Number(this.coverage('').upstreamVersion) === this.cloud.revision;
    const known = (base: KubeObject | undefined, key: string): boolean =>
      base?.metadata.resourceVersion === versionOf(key);
    return {
      there: keys.filter(([key, base]) => base !== undefined && known(base, key)).map(([key]) => key),
      gone: isCurrent ? keys.filter(([key]) => versionOf(key) === undefined).map(([key]) => key) : [],
    };
  }

  relist(selector: Selector, step: 'begin' | 'add' | 'commit' | 'abandon'): void {
    const { id } = this.coverage(selector);
    if (step === 'begin') {
      const rest = [...this.cloud.list(selector)];
      this.relists.set(selector, { relist: this.replica.relist(id), at: this.cloud.revision, rest });
    }
    const running = this.relists.get(selector);
    if (running === undefined) return;
    const piece = step === 'commit' ? running.rest : running.rest.slice(0, 2);
    if (step !== 'abandon') running.relist.add(piece);
    running.rest = running.rest.slice(piece.length);
    if (step === 'commit') running.relist.commit(String(running.at));
    if (step === 'abandon') running.relist.abandon();
    if (step === 'commit' || step === 'abandon') this.relists.delete(selector);
  }

  overlay(at: ObjectName, phase: string): void {
    const shown = this.replica.reader(resource).get(at);
    if (shown === undefined) {
      const put = { resource, at, current: made(at, 1, false) };
      expect(() => this.replica.putOverlay(put)).toThrow(expect.objectContaining({ code: 'NotFound' }));
      return;
    }
    const old = JSON.parse(shown.json) as Thing;
    const status = { ...old.status, phase };
    const answer = this.replica.putOverlay({ resource, at, current: { ...old, status } as Thing });
    expect(answer).toEqual(this.replica.reader(resource).get(at));
    if (this.replica.overlays().some((one) => keyOf(one) === keyOf(at) && one.uid === old.metadata.uid))
      this.overlaid.set(keyOf(at), { uid: old.metadata.uid ?? '', status });
  }

  settle(at: ObjectName, confirm: boolean): void {
    const laid = this.overlaid.get(keyOf(at));
    const object = this.cloud.objects.get(keyOf(at));
    if (laid === undefined) return;
    if (confirm && object?.metadata.uid === laid.uid)
      this.cloud.change(at, (old, revision) => old && revised(old, revision, { status: laid.status }));
    this.replica.settleOverlay(resource, at, confirm ? this.cloud.objects.get(keyOf(at)) : undefined);
    this.overlaid.delete(keyOf(at));
  }

  learn(at: ObjectName): void {
    const object = this.cloud.objects.get(keyOf(at));
    if (object === undefined) return;
    const answer = this.replica.learn(resource, object);
    const shown = this.replica.reader(resource).get(at);
    if (shown !== undefined) expect(answer).toEqual(JSON.parse(shown.json));
  }

  /** What clients have is what is shown, at every moment at which they are up to date. */
  check(client: Client): void {
    client.drain(this.replica);
    const items = this.#shown().filter(({ json }) =>
      matches(client.selector, JSON.parse(json) as KubeObject),
    );
    expect([...client.items.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))).toEqual(items);
  }

  /** Once the link is quiet, what is shown is what is in the cloud, under the overlays and the views. */
  finish(): void {
    for (const selector of selectors) {
      if (this.relists.has(selector)) this.relist(selector, 'abandon');
      if (!this.coverage(selector).synced) this.relist(selector, 'begin');
      this.relist(selector, 'commit');
      this.deliver(selector, 1000);
      // The first one takes everything: it is right whatever the others still hold.
      this.#expectCloud();
    }
  }

  #expectCloud(): void {
    const shown = this.#shown().map(({ json }) => contentOf(JSON.parse(json) as Thing));
    const wanted = [...this.cloud.objects.values()]
      .toSorted((a, b) => (keyOf(a.metadata as ObjectName) < keyOf(b.metadata as ObjectName) ? -1 : 1))
      .map((base) => {
        const laid = this.overlaid.get(keyOf(base.metadata as ObjectName));
        const current = { ...base, status: laid?.status } as Thing;
        const own =
          laid?.uid === base.metadata.uid ? statusOver(resource, { anchor: base, current, base }) : base;
        return contentOf(tinted(this.tint)(resource, own));
      });
    expect(shown).toEqual(wanted);
    for (const { namespace, name, version } of this.#shown()) {
      const { resourceVersion } = this.cloud.objects.get(keyOf({ namespace, name }))?.metadata ?? {};
      const translate = (text: string): string | undefined =>
        this.replica.upstreamVersion(resource, { namespace, name }, text);
      expect(translate(version.toString())).toBe(resourceVersion);
      expect(translate((version + 1n).toString())).toBeUndefined();
      expect(translate(natural(41n).toString())).toBe(version === natural(41n) ? resourceVersion : '41');
    }
  }
}

const place = fc.constantFrom(...places);
const selector = fc.constantFrom(...selectors);
const step = <K extends string, T extends object>(
  kind: K,
  rest: { [P in keyof T]: fc.Arbitrary<T[P]> },
): fc.Arbitrary<{ kind: K } & T> => fc.record({ kind: fc.constant(kind), ...rest }) as never;

const whose = fc.integer({ min: 0, max: 2 });
const few = fc.integer({ min: 1, max: 3 });
const part: fc.Arbitrary<'begin' | 'add' | 'commit' | 'abandon'> = fc.constantFrom(
  'begin',
  'add',
  'commit',
  'commit',
  'abandon',
);

const action = fc.oneof(
  often(6, step('put', { at: place, labelled: fc.boolean() })),
  often(4, step('beat', { at: place })),
  often(2, step('remove', { at: place })),
  often(10, step('deliver', { selector, steps: few })),
  often(3, step('relist', { selector, part })),
  often(4, step('overlay', { at: place, phase: fc.constantFrom('new', 'p', 'q') })),
  often(2, step('settle', { at: place, confirm: fc.boolean() })),
  often(2, step('learn', { at: place })),
  often(2, step('tint', { tint: fc.integer({ min: 0, max: 2 }), by: fc.constantFrom('names', 'all') })),
  often(12, step('read', { whose, limit: few })),
  often(2, step('check', { whose })),
  often(1, step('lose', { whose })),
  often(1, step('flush', {})),
  often(3, step('restart', { inPeace: fc.boolean(), look: fc.boolean() })),
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

type Perform = {
  [K in Action['kind']]: (world: World, one: Extract<Action, { kind: K }>) => void | Promise<void>;
};

const perform: Perform = {
  put: (world, { at, labelled }) => world.put(at, labelled),
  beat: ({ cloud }, { at }) =>
    cloud.change(at, (old, revision) => {
      if (old === undefined) return undefined;
      const conditions = [{ type: 'Ready', lastHeartbeatTime: `t${revision}` }];
      return revised(old, revision, { status: { ...old.status, conditions } });
    }),
  remove: ({ cloud }, { at }) => cloud.change(at, () => undefined),
  deliver: (world, { selector: of, steps }) => world.deliver(of, steps),
  relist: (world, { selector: of, part: how }) => world.relist(of, how),
  overlay: (world, { at, phase }) => world.overlay(at, phase),
  settle: (world, { at, confirm }) => world.settle(at, confirm),
  learn: (world, { at }) => world.learn(at),
  tint: (world, { tint, by }) => {
    world.tint = tint;
    world.replica.refresh(resource, by === 'all' ? undefined : places.filter(({ name }) => name === 'a'));
  },
  read: ({ clients, replica }, { whose: at, limit }) => clients[at]?.step(replica, limit),
  check: (world, { whose: at }) => {
    const one = world.clients[at];
    if (one !== undefined) world.check(one);
  },
  lose: ({ clients }, { whose: at }) => clients[at]?.lose(),
  flush: ({ replica }) => replica.flush(),
  restart: async (world, { inPeace, look }) => {
    await world.restart(inPeace);
    if (look) for (const one of world.clients) world.check(one);
  },
};

const run = (world: World, one: Action): void | Promise<void> =>
  (perform[one.kind] as (world: World, one: Action) => void | Promise<void>)(world, one);

test.prop([fc.array(action, { minLength: 20, maxLength: 150, size: 'max' }), fc.constantFrom(4, 1000)], {
  numRuns: 40,
})(
  'clients that list, watch and come back see what is shown, each version once, whatever happens',
  async (actions, maxHistoryEntries) => {
    await using temporary = await createTemporaryStore();
    const world = new World(temporary, maxHistoryEntries);
    for (const [index, at] of places.slice(1).entries())
      world.cloud.change(at, (_old, revision) => made(at, revision, index % 2 === 0));
    for (const selected of selectors)
      for (const how of ['begin', 'commit'] as const) world.relist(selected, how);
    for (const one of actions) await run(world, one);
    world.finish();
    for (const client of world.clients) world.check(client);
    await world.restart(true);
    for (const client of world.clients) {
      const watching = client.state;
      world.check(client);
      expect(client.state).toEqual(watching);
    }
    // After a crash all who are on the spot go on, too, and stay when something happens.
    world.replica.flush();
    await world.restart(false);
    for (const round of [1, 2]) {
      world.put({ namespace: 'a', name: 'a' });
      for (const one of selectors) world.deliver(one, 10);
      for (const client of world.clients) {
        client.step(world.replica, 100);
        expect([round, client.state.kind]).toEqual([round, 'watching']);
      }
    }
  },
  120_000,
);
