import { resources } from '@selvedge/kube';
import { fc } from '@fast-check/vitest';
import { expect } from 'vitest';
import { namespace, nodeName, startHubCluster } from './hub-cluster.ts';
import { createHubProcess } from './hub-process.ts';
import { startInformer } from './informer.ts';
import { type Lie, startLyingServer } from './lying-server.ts';

const { signal } = new AbortController();

const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
const status = (code: number): object => ({ kind: 'Status', apiVersion: 'v1', code });
const text = fc.oneof(
  fc.constantFrom(
    '\n',
    '{\n',
    'null\n',
    '[]\n',
    '"x"\n',
    '{}\n',
    '<html>\n',
    '\0\n',
    '{"type":"MODIFIED"}\n',
    line('NEW', {}),
    line('MODIFIED', null),
    line('MODIFIED', { kind: 'ConfigMap', apiVersion: 'v1' }),
    line('ADDED', { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: '9' } }),
    line('DELETED', 7),
    line('BOOKMARK', {}),
    line('BOOKMARK', { metadata: { resourceVersion: 'x' } }),
    line('ERROR', status(410)),
    line('ERROR', status(500)),
    line('ERROR', 'no'),
    `${'x'.repeat(9 * 2 ** 20)}\n`,
  ),
  fc.json().map((value) => `${value}\n`),
);
const lies: fc.Arbitrary<Lie> = fc.oneof(
  fc.nat(2_000).map((bytes): Lie => ({ kind: 'truncated', bytes })),
  text.map((said): Lie => ({ kind: 'before', text: said })),
  text.map((said): Lie => ({ kind: 'instead', text: said })),
);

/** So many lies, each about a change. Whoever is lied to again and again asks ever more rarely, up to every half minute. */
export async function lieToHub(numRuns: number): Promise<void> {
  await using cluster = await startHubCluster();
  await cluster.admin.create(resources.configMaps, { metadata: { namespace, name: 'config' } }, { signal });
  await cluster.createPod('reader', nodeName);
  await using server = await startLyingServer(cluster);
  await using hub = await createHubProcess(cluster, { serverPort: server.port });
  await hub.start();
  const kubeconfig = await hub.kubeconfig('lies', hub.kubelet);
  const only = [`--namespace=${namespace}`, '--fields=metadata.name=config'];
  await using informer = await startInformer(kubeconfig, ['--resource=configmaps', ...only]);
  const at = { namespace, name: 'config' };
  await fc.assert(
    fc.asyncProperty(lies, fc.uuid(), async (lie, value) => {
      server.lie = lie;
      const patch = { type: 'application/merge-patch+json', body: { data: { value } } } as const;
      await cluster.admin.patch(resources.configMaps, at, { patch, signal });
      await informer.shows(`${namespace}/config`, (object) => JSON.stringify(object).includes(value));
    }),
    { numRuns },
  );
  expect(server.told).toBeGreaterThan(numRuns / 2);
  expect(informer.lines.filter(({ type }) => type === 'relist')).toEqual([]);
  expect(hub.run.lines.filter(({ level }) => level === 'error')).toEqual([]);
}
