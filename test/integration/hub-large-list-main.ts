import { SelvedgeError, createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { type KubeClient, createKubeMetrics, resources } from '@selvedge/kube';
import type { Decision } from '../../packages/edge-lite/src/hub/access/types.ts';
import { createCoverages } from '../../packages/edge-lite/src/hub/coverages/index.ts';
import { createReplica } from '../../packages/edge-lite/src/hub/replica/index.ts';
import type { ObjectName, ResourceReader } from '../../packages/edge-lite/src/hub/replica/types.ts';
import { covers, matchesSelection } from '../../packages/edge-lite/src/hub/selection/index.ts';
import { openStore } from '../../packages/edge-lite/src/store/index.ts';
import { connect } from './kube-world.ts';

/**
 * Takes all config maps of a namespace over and prints how many there are: as a streaming list, in pages, or, to show
 * that the heap of this process is too small for that, held as a whole.
 */
const [kubeconfig = '', folder = '', namespace = '', how = ''] = process.argv.slice(2);
const { signal } = new AbortController();

function clientFor(client: KubeClient): Pick<KubeClient, 'list' | 'watch'> {
  if (how !== 'paged') return client;
  return {
    list: (...call) => client.list(...call),
    watch: async (resource, options) => {
      if (options.sendInitialEvents !== true) return client.watch(resource, options);
      throw new SelvedgeError('no streaming lists here', { code: 'Invalid' });
    },
  };
}

const allow = async (): Promise<Decision> => ({ allowed: true, reason: '' });

function count(reader: ResourceReader): number {
  let held = 0;
  for (let after: ObjectName | undefined; ; ) {
    const page = reader.page({ limit: 500, after });
    after = page === 'expired' ? undefined : page.at(-1);
    if (after === undefined) return held;
    held += page.length;
  }
}

async function follow(client: KubeClient): Promise<number> {
  const metrics = createMetricsRegistry();
  const shared = { clock: systemClock, random: seededRandom(1), log: silentLogger, metrics };
  const store = await openStore({
    path: `${folder}.db`,
    sealKeyPath: `${folder}.key`,
    driver: 'node',
  });
  const replica = createReplica(
    {},
    {
      ...shared,
      store: store.replica,
      rebase: (_resource, { current }) => current,
      applyViews: (_resource, object) => object,
      matchesSelection,
    },
  );
  const coverages = createCoverages(
    {},
    {
      ...shared,
      replica,
      covers,
      upstream: {
        connectivity: { kind: 'online', sinceMs: 0, server: 'private' },
        onConnectivity: () => ({ [Symbol.dispose]: () => undefined }),
        clientOf: () => clientFor(client),
      },
      access: {
        authorize: allow,
        reauthorize: allow,
        onWithdrawn: () => ({ [Symbol.dispose]: () => undefined }),
      },
      ready: async () => undefined,
      documents: store.runtime,
      sponsorTokens: { forget: () => undefined },
      kubeMetrics: createKubeMetrics(metrics),
    },
  );
  await coverages.start(signal);
  const spec = { resource: 'v1/configmaps', namespace, labelSelector: '', fieldSelector: '' };
  const caller = { kind: 'node', user: { username: 'system:node:edge', groups: [] } } as const;
  using hold = await coverages.join({ spec, caller }, signal);
  await hold.coverage.whenSynced(signal);
  const held = count(replica.reader('v1/configmaps'));
  await coverages.stop();
  store.close();
  return held;
}

async function takeWhole(client: KubeClient): Promise<number> {
  const { items } = await client.listAll(resources.configMaps, { namespace, signal });
  return items.length;
}

const { client } = await connect(kubeconfig);
const held = how === 'whole' ? await takeWhole(client) : await follow(client);
await client.close();
process.stdout.write(`${JSON.stringify({ held })}\n`);
