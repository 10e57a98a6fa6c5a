import { SelvedgeError, createMetricsRegistry, raceAbort, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { expect, test } from 'vitest';
import type { KubeClient } from '../client.ts';
import type { ConfigMap, Secret } from '../gen/types.ts';
import { createKubeMetrics } from '../metrics.ts';
import { resources } from '../resources.ts';
import type { WatchOptions } from '../watch/watch.ts';
import { createObjectCaches, slimMetadata } from './object-caches.ts';

const { signal } = new AbortController();

test('kinds that are followed are in sync once the start is through, each kept as wanted', async () => {
  const gate = Promise.withResolvers<void>();
  const lists: string[] = [];
  const client = {
    async watch(_resource: unknown, { sendInitialEvents, signal: ended }: WatchOptions) {
      if (sendInitialEvents === true) throw new SelvedgeError('unknown', { code: 'Invalid' });
      return raceAbort(new Promise<never>(() => undefined), ended);
    },
    async list({ plural }: { readonly plural: string }) {
      lists.push(plural);
      if (plural === 'secrets') await gate.promise;
      const metadata = { name: 'a', namespace: 'b', resourceVersion: '1', labels: { x: 'y' } };
      return { metadata: { resourceVersion: '1' }, items: [{ metadata, data: { k: 'v' } }] };
    },
  } as unknown as KubeClient;
  const kubeMetrics = createKubeMetrics(createMetricsRegistry());
  const deps = { client, clock: createManualClock(), random: () => 0.5, log: silentLogger, kubeMetrics };
  const caches = createObjectCaches({ name: 'test' }, deps);
  const slim = ({ metadata }: Secret): Secret => ({ metadata: slimMetadata(metadata) });
  const maps = caches.follow<ConfigMap>({ resource: resources.configMaps });
  const secrets = caches.follow<Secret>({ resource: resources.secrets }, { keep: slim });
  let started = false;
  const starting = caches.service.start(signal).then(() => (started = true));
  await expect.poll(() => maps.get('b/a')).toBeDefined();
  expect([started, caches.synced]).toEqual([false, false]);
  gate.resolve();
  await starting;
  expect(caches.synced).toBe(true);
  expect(secrets.get('b/a')).toEqual({ metadata: { name: 'a', namespace: 'b', resourceVersion: '1' } });
  await caches.service.stop();
});
