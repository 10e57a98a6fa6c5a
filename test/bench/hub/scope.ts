import { performance } from 'node:perf_hooks';
import { labels, trafficAnnotations } from '@selvedge/api';
import { scoped } from '@selvedge/kit';
import { type KubeClient, mergePatch, resources } from '@selvedge/kube';
import { edgeUnitResource } from '@selvedge/unit-controller';
import { type BenchRow, type Goal, row } from '../row.ts';
import { type HubWorld, nodeName } from './world.ts';

const namespace = 'default';
const service = 'scoped';
const unit = 'shop';
const neighbour = 'neighbour';
const rounds = 50;
/** What the cloud says takes effect within 2 s. */
const goal: Goal = { kind: 'at-most', value: 2_000 };

/** A Service with an endpoint on the hub's node and one on its neighbour in the unit. */
async function createObjects(client: KubeClient, signal: AbortSignal): Promise<void> {
  const patch = mergePatch({ metadata: { labels: { [labels.nodeUnit]: unit } } });
  await client.patch(resources.nodes, { name: nodeName }, { patch, signal });
  const spec = { members: { names: [nodeName, neighbour] } };
  await client.create(edgeUnitResource, { metadata: { name: unit }, spec }, { signal });
  const annotations = { [trafficAnnotations.scope]: 'unit' };
  const ports = [{ name: 'http', port: 80 }];
  await client.create(
    resources.services,
    { metadata: { name: service, namespace, annotations }, spec: { ports } },
    { signal },
  );
  await client.create(
    resources.endpointSlices,
    {
      metadata: { name: service, namespace, labels: { 'kubernetes.io/service-name': service } },
      addressType: 'IPv4',
      ports,
      endpoints: [nodeName, neighbour].map((node, index) => ({
        addresses: [`10.1.${index}.2`],
        nodeName: node,
        conditions: { ready: true },
      })),
    },
    { signal },
  );
}

/** Somebody who follows the slice at the hub. */
interface Follower extends AsyncDisposable {
  /** Resolves with the moment at which so many endpoints are shown. */
  shown(endpoints: number): Promise<number>;
}

async function follow(client: KubeClient, signal: AbortSignal): Promise<Follower> {
  const scope = scoped(signal);
  let shown = -1;
  let waiting: { readonly endpoints: number; readonly resolve: (at: number) => void } | undefined;
  const see = (endpoints: number): void => {
    shown = endpoints;
    if (waiting?.endpoints === endpoints) waiting.resolve(performance.now());
  };
  const options = { namespace, timeoutSeconds: 3_600, signal: scope.signal };
  const watch = await client.watch(resources.endpointSlices, options);
  const read = async (): Promise<void> => {
    for await (const batch of watch) {
      for (const event of batch) {
        if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue;
        if (event.object.metadata.name === service) see(event.object.endpoints?.length ?? 0);
      }
    }
  };
  const ended = Promise.allSettled([read()]);
  return {
    shown(endpoints) {
      if (shown === endpoints) return Promise.resolve(performance.now());
      return new Promise((resolve) => {
        waiting = { endpoints, resolve };
      });
    },
    async [Symbol.asyncDispose]() {
      scope.abort();
      await ended;
    },
  };
}

type Change = (isWide: boolean) => Promise<unknown>;

/** From the answer to a write in the cloud to the event at the hub, in milliseconds. */
async function measure(follower: Follower, change: Change): Promise<readonly number[]> {
  const samples: number[] = [];
  await change(true);
  await follower.shown(2);
  for (let round = 0; round < rounds; round += 1) {
    const isWide = round % 2 === 1;
    const shown = follower.shown(isWide ? 2 : 1);
    const start = performance.now();
    await change(isWide);
    samples.push((await shown) - start);
  }
  return samples;
}

const rowsOf = (id: string, ours: readonly number[]): readonly BenchRow[] => [
  row({ id: `${id}.p50`, unit: 'ms', ours }),
  row({ id: `${id}.p99`, unit: 'ms', ours, quantile: 0.99, goal }),
];

/**
 * How long another scope of traffic, or another member of the unit, takes from the write in the cloud until a client of
 * the hub is told of the endpoints that follow.
 */
export async function scopeRows(world: HubWorld, signal: AbortSignal): Promise<readonly BenchRow[]> {
  const { direct } = world;
  await world.define();
  await createObjects(direct, signal);
  await using follower = await follow(world.hub, signal);
  const members: Change = (isWide) => {
    const names = isWide ? [nodeName, neighbour] : [nodeName];
    const status = { members: names.map((name) => ({ name, state: 'Connected' })) };
    const options = { patch: mergePatch({ status }), subresource: 'status', signal };
    return direct.patch(edgeUnitResource, { name: unit }, options);
  };
  const byMembers = await measure(follower, members);
  await members(true);
  const annotation: Change = (isWide) => {
    const scope = { [trafficAnnotations.scope]: isWide ? 'unit' : 'node' };
    const patch = mergePatch({ metadata: { annotations: scope } });
    return direct.patch(resources.services, { namespace, name: service }, { patch, signal });
  };
  const byAnnotation = await measure(follower, annotation);
  return [...rowsOf('hub.scope.members', byMembers), ...rowsOf('hub.scope.annotation', byAnnotation)];
}
