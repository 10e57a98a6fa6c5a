import { performance } from 'node:perf_hooks';
import { createLimiter, scoped } from '@selvedge/kit';
import { type KubeClient, mergePatch, resources } from '@selvedge/kube';
import type { HubWorld } from './world.ts';

export const sides = ['hub', 'direct'] as const;
export type Side = (typeof sides)[number];
/** Of the same thing, taken in turn. */
export type Samples = Readonly<Record<Side, number[]>>;
const newSamples = (): Samples => ({ hub: [], direct: [] });

const nameOf = (index: number): string => `pod-${String(index).padStart(5, '0')}`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export interface Place {
  readonly namespace: string;
  readonly count: number;
  readonly signal: AbortSignal;
}

const get = (client: KubeClient, { namespace, count, signal }: Place, index: number): Promise<unknown> =>
  client.get(resources.pods, { namespace, name: nameOf(index % count) }, { resourceVersion: '0', signal });

/** GET of what is at hand, one after another, in milliseconds. */
export async function gets(world: HubWorld, place: Place, rounds: number): Promise<Samples> {
  const samples = newSamples();
  for (const side of sides) await get(world[side], place, 0);
  for (let round = 0; round < rounds; round += 1) {
    for (const side of sides) samples[side].push(await timed(() => get(world[side], place, round * 7)));
  }
  return samples;
}

/** GETs per second with 16 under way. */
export async function getRate(world: HubWorld, place: Place, requests: number): Promise<Samples> {
  const samples = newSamples();
  for (const side of [...sides, ...sides, ...sides]) {
    const limiter = createLimiter({ capacity: 16 });
    const all = Array.from({ length: requests }, (_, index) =>
      limiter.run(place.signal, () => get(world[side], place, index)),
    );
    const took = await timed(() => Promise.all(all));
    samples[side].push((requests * 1_000) / took);
  }
  return samples;
}

/** LIST of a namespace, of what is at hand, in milliseconds. The answer is read, not parsed. */
export async function lists(world: HubWorld, { namespace, signal }: Place, rounds: number): Promise<Samples> {
  const samples = newSamples();
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const query = { resourceVersion: '0' };
  const list = (side: Side): Promise<unknown> =>
    world[side].raw({ method: 'GET', path, query, gzip: false, signal });
  for (const side of sides) await list(side);
  for (let round = 0; round < rounds; round += 1) {
    for (const side of sides) samples[side].push(await timed(() => list(side)));
  }
  return samples;
}

/** Resolves with the moment at which each of `watchers` watches has told of the annotation. */
interface Audience extends AsyncDisposable {
  heard(value: string): Promise<number>;
}

async function listen(client: KubeClient, { namespace, signal }: Place, watchers: number): Promise<Audience> {
  const scope = scoped(signal);
  const waiting = new Map<string, { left: number; readonly resolve: (at: number) => void }>();
  const hear = (value: string): void => {
    const wait = waiting.get(value);
    if (wait === undefined) return;
    wait.left -= 1;
    if (wait.left === 0) wait.resolve(performance.now());
  };
  const { resourceVersion } = (
    await client.list(resources.pods, { namespace, resourceVersion: '0', limit: 1, signal })
  ).metadata;
  const follow = async (): Promise<void> => {
    const options = { namespace, resourceVersion, timeoutSeconds: 3_600, signal: scope.signal };
    const watch = await client.watch(resources.pods, options);
    opened += 1;
    if (opened === watchers) ready.resolve();
    for await (const batch of watch) {
      for (const event of batch) {
        if (event.type === 'MODIFIED') hear(event.object.metadata.annotations?.['bench'] ?? '');
      }
    }
  };
  let opened = 0;
  const ready = Promise.withResolvers<void>();
  const all = Array.from({ length: watchers }, () => follow());
  const ended = Promise.allSettled(all);
  await Promise.race([ready.promise, Promise.all(all)]);
  return {
    heard: (value) => new Promise((resolve) => waiting.set(value, { left: watchers, resolve })),
    async [Symbol.asyncDispose]() {
      scope.abort();
      await ended;
    },
  };
}

/** From the write, made directly, to the last of `watchers` watches on each side that tells of it, in milliseconds. */
export async function deliveries(
  world: HubWorld,
  place: Place,
  { watchers, rounds }: { readonly watchers: number; readonly rounds: number },
): Promise<Samples> {
  const samples = newSamples();
  await using hub = await listen(world.hub, place, watchers);
  await using direct = await listen(world.direct, place, watchers);
  const audience = { hub, direct };
  for (let round = 0; round < rounds; round += 1) {
    const value = `${watchers}-${round}`;
    const heard = sides.map((side) => audience[side].heard(value));
    const start = performance.now();
    const at = { namespace: place.namespace, name: nameOf(round % place.count) };
    const patch = mergePatch({ metadata: { annotations: { bench: value } } });
    await world.direct.patch(resources.pods, at, { patch, signal: place.signal });
    const moments = await Promise.all(heard);
    for (const [index, side] of sides.entries()) samples[side].push((moments[index] ?? Number.NaN) - start);
  }
  return samples;
}
