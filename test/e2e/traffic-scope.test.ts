import { trafficAnnotations } from '@selvedge/api';
import { mergePatch, resources } from '@selvedge/kube';
import { beforeAll, describe, expect, it } from 'vitest';
import { containerLog } from './support/container-log.ts';
import { untilOffline } from './support/hub-site.ts';
import { isReady, pod, webServer } from './support/pods.ts';
import { asker, databaseObjects, lastAnswer } from './support/scope-app.ts';
import { type Shoppers, createShoppers, readAtHub, requestsAt, resolveAt } from './support/scope-asks.ts';
import { createAll, informedOf, startInformers } from './support/scope-informers.ts';
import { useScopeSite } from './support/scope-site.ts';

const scope = useScopeSite('scope');
const { site, converted, lite, far, own, other } = scope;
const nodes = [converted, lite, far] as const;
const webOf = (node: string): string => `web-${node}`;
const webs = (...all: readonly string[]): readonly string[] => all.map(webOf);

/** Addresses of the web servers by the names of their nodes. */
const addresses = new Map<string, string>();
const addressOf = (node: string): string => addresses.get(node) ?? '';
let token: string;
let shoppers: Shoppers;

const slices = (query: string): string =>
  `/apis/discovery.k8s.io/v1/namespaces/${site.namespace}/endpointslices${query}`;
const endpoints = (query: string): string => `/api/v1/namespaces/${site.namespace}/endpoints${query}`;
const ofService = (name: string): string => `?labelSelector=kubernetes.io/service-name%3D${name}`;
const read = (node: string, path: string, accept?: string): Promise<string> =>
  readAtHub(site, { node, token, ...(accept === undefined ? {} : { accept }) }, path);

async function annotate(
  name: string,
  annotation: keyof typeof trafficAnnotations,
  value: string | null,
): Promise<void> {
  const patch = mergePatch({ metadata: { annotations: { [trafficAnnotations[annotation]]: value } } });
  const { namespace, signal } = site;
  await site.client.patch(resources.services, { namespace, name }, { patch, signal });
}

/** A Service whose traffic stays in its unit. */
async function createService(
  name: string,
  selector: Readonly<Record<string, string>>,
  more: object = {},
): Promise<void> {
  const metadata = { name, annotations: { [trafficAnnotations.scope]: 'unit' } };
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
  await site.create(resources.services, { metadata, spec: { selector, ports, ...more } });
}

/** A web server on each node. */
async function createWebs(): Promise<void> {
  for (const node of nodes) {
    // Told to end it goes on until it is killed.
    const args = ['netexec', '--http-port=8080', '--delay-shutdown=600'];
    const labels = { app: 'web', on: node, ...(node === lite ? {} : { last: 'yes' }) };
    const web = { name: webOf(node), node, labels, terminationGracePeriodSeconds: 600 };
    await site.create(resources.pods, pod({ ...web, containers: [webServer({ args })] }));
  }
  for (const node of nodes) {
    const { status } = await site.pod(webOf(node), { what: 'it is ready' }, isReady);
    addresses.set(node, status?.podIP ?? '');
  }
}

/** Resolves once each web server has counted as many requests as it has answered, and fails if it counts more. */
async function untilCounted(): Promise<void> {
  for (const node of nodes) {
    const answered = shoppers.answers.get(webOf(node)) ?? 0;
    const count = (): Promise<number> => requestsAt(site, node, webOf(node));
    await site.until({ what: `${answered} requests at ${node}` }, async () => (await count()) >= answered);
    expect(await count()).toBe(answered);
  }
}

beforeAll(async () => {
  shoppers = createShoppers(site);
  token = await startInformers(site, converted);
  await createWebs();
  await createService('web', { app: 'web' });
  await createService('pods', { app: 'web' }, { clusterIP: 'None' });
  await createService('next', { on: lite });
  await createService('elsewhere', { on: far });
  await createService('last', { last: 'yes' });
});

describe('a Service whose traffic stays in its unit', () => {
  it('is answered by the pods of the unit and by no other, which they count', async () => {
    for (const node of [converted, lite]) await shoppers.untilAnsweredBy(node, 'web', webs(converted, lite));
    expect(shoppers.answers.has(webOf(far))).toBe(false);
    await untilCounted();
    await shoppers.untilAnsweredBy(far, 'web', webs(far));
    await untilCounted();
  });

  it('has the names of the pods of the unit where it has no address of its own', async () => {
    const units = [[converted, lite], [far]];
    for (const node of nodes) {
      const wanted = units
        .find((unit) => unit.includes(node))
        ?.map(addressOf)
        .toSorted()
        .join();
      await site.until({ what: `${wanted} at ${node}` }, async () => {
        return (await resolveAt(site, node, 'pods')).toSorted().join() === wanted;
      });
    }
  });

  it.each(['application/json', 'application/json;as=Table;v=v1;g=meta.k8s.io'])(
    'shows nobody on the node an endpoint outside, whatever he reads (%s)',
    async (accept) => {
      const list = JSON.parse(await read(converted, slices(ofService('pods')))) as {
        readonly items: readonly { readonly metadata: { readonly name: string } }[];
      };
      const name = list.items[0]?.metadata.name ?? '';
      const paths = [
        slices(ofService('pods')),
        slices(`${ofService('pods')}&resourceVersion=0`),
        slices(`${ofService('pods')}&watch=1&timeoutSeconds=1`),
        slices(`/${name}`),
        endpoints('?fieldSelector=metadata.name%3Dpods'),
        endpoints('?fieldSelector=metadata.name%3Dpods&watch=1&timeoutSeconds=1'),
        endpoints('/pods'),
      ];
      for (const path of paths) {
        const text = await read(converted, path, accept);
        expect(text).toContain(addressOf(lite));
        expect(text).not.toContain(addressOf(far));
      }
    },
  );

  it('follows its annotation while it lives', async () => {
    await annotate('web', 'scope', 'node');
    for (const node of [converted, lite]) await shoppers.untilAnsweredBy(node, 'web', webs(node));
    await annotate('web', 'scope', 'cluster');
    for (const node of nodes) await shoppers.untilAnsweredBy(node, 'web', webs(...nodes));
    await annotate('web', 'scope', 'unit');
    await shoppers.untilAnsweredBy(converted, 'web', webs(converted, lite));
  });

  it('is refused where the unit has no endpoint, unless it may fall back', async () => {
    for (const node of [converted, lite]) await shoppers.untilAnsweredBy(node, 'elsewhere', ['refused']);
    await annotate('elsewhere', 'fallback', 'cluster');
    for (const node of [converted, lite]) await shoppers.untilAnsweredBy(node, 'elsewhere', webs(far));
    await annotate('elsewhere', 'fallback', null);
    for (const node of [converted, lite]) await shoppers.untilAnsweredBy(node, 'elsewhere', ['refused']);
  });

  it('follows a node from unit to unit, and back', async () => {
    await scope.setMembers(own, [converted]);
    await scope.setMembers(other, [far, lite]);
    await shoppers.untilAnsweredBy(converted, 'web', webs(converted));
    for (const node of [lite, far]) await shoppers.untilAnsweredBy(node, 'web', webs(far, lite));
    await scope.setMembers(other, [far]);
    await scope.setMembers(own, [converted, lite]);
    for (const node of [converted, lite]) await shoppers.untilAnsweredBy(node, 'web', webs(converted, lite));
    await shoppers.untilAnsweredBy(far, 'web', webs(far));
  });
});

it("short names of a UnitApp, its pods and their places lead each unit's pods to their own", async () => {
  await createAll(site, databaseObjects(site.namespace, [own, other]));
  // The first pod of each clone, whatever the clone is called.
  await createService('db-0', { 'selvedge.io/unit-app': 'db', 'apps.kubernetes.io/pod-index': '0' });
  const podOf = (unit: string): string => `db-${unit}-0`;
  const names = ['db:8080', 'db-0', ...[own, other].map((unit) => `${podOf(unit)}.db:8080`)];
  for (const unit of [own, other]) await site.pod(podOf(unit), { what: 'it is ready' }, isReady);
  const expected = [
    [converted, [podOf(own), podOf(own), podOf(own), 'nobody']],
    [far, [podOf(other), podOf(other), 'nobody', podOf(other)]],
  ] as const;
  for (const [node, answers] of expected) {
    const name = `asker-${node}`;
    // CoreDNS remembers for a while that there was no such name.
    for (const one of ['db', 'db-0']) {
      const isThere = async (): Promise<boolean> =>
        (await read(node, slices(ofService(one)))).includes(answers[0]);
      await site.until({ what: `${one} at ${node}` }, isThere);
    }
    await site.create(resources.pods, pod({ name, node, containers: [asker(names)] }));
    await site.until({ what: `the answers at ${node}` }, async () => {
      const log = await containerLog(site, node, { pod: name });
      const last = names.map((one) => lastAnswer(log, one));
      if (last.join() === answers.join()) return true;
      throw new Error(`they are ${last.join()}`);
    });
  }
});

it('stays closed and answers while the site is cut off, also at a hub that was started anew', async () => {
  const check = async (): Promise<void> => {
    await shoppers.untilAnsweredBy(converted, 'elsewhere', ['refused']);
    await shoppers.untilAnsweredBy(converted, 'next', webs(lite));
    expect([...(await shoppers.ask(converted, 'web')).keys()]).toContain(webOf(converted));
  };
  const before = shoppers.answers.get(webOf(far));
  // Who was never let in has nothing to ask for without the cloud.
  await read(converted, slices(ofService('pods')));
  await site.bed.cut(scope.name, 'refused');
  for (const node of nodes) await untilOffline(site, node, 60_000);
  await check();
  await site.bed.stopAgent(converted, 'SIGKILL', 'edge-lite');
  await site.bed.startAgent(converted, { program: 'edge-lite' });
  await untilOffline(site, converted, 60_000);
  const text = await read(converted, slices(ofService('pods')));
  expect(text).toContain(addressOf(converted));
  expect(text).not.toContain(addressOf(far));
  await check();
  await site.bed.heal(scope.name);
  await shoppers.untilAnsweredBy(converted, 'web', webs(converted, lite));
  await untilCounted();
  expect(shoppers.answers.get(webOf(far))).toBe(before);
});

it('its last pod is asked while it ends, then nobody, or others if they may be', async () => {
  const { client, namespace, signal } = site;
  await shoppers.untilAnsweredBy(lite, 'last', webs(converted));
  await client.delete(resources.pods, { namespace, name: webOf(converted) }, { signal });
  await site.until({ what: 'it ends' }, async () =>
    (await read(lite, slices(ofService('last')))).includes('"terminating":true'),
  );
  await shoppers.untilAnsweredBy(lite, 'last', webs(converted));
  await site.deletePod(webOf(converted), 0);
  await shoppers.untilAnsweredBy(lite, 'last', ['refused']);
  await annotate('last', 'fallback', 'cluster');
  await shoppers.untilAnsweredBy(lite, 'last', webs(far));
});

it('its informers never heard of an endpoint outside, from its creation on', async () => {
  const objects = JSON.stringify(await informedOf(site, converted, 'pods'));
  expect(objects).toContain(addressOf(lite));
  expect(objects).not.toContain(addressOf(far));
});
