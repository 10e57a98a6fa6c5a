import { afterAll, beforeAll, describe, it } from 'vitest';
import { type ReadApi, createHttpsReadApi } from '../contract/read-api-client.ts';
import { prepareReadApi } from '../contract/read-api-world.ts';
import { casesFor, runReadApiCase } from '../contract/read-api.ts';
import { type HubCluster, startHubCluster } from './hub-cluster.ts';

const signal = AbortSignal.timeout(300_000);

/** What is expected of the hub in `hub-contract.test.ts` is what kube-apiserver does. */
describe('the read API of kube-apiserver', () => {
  let cluster: HubCluster;
  let namespace: string;
  let api: ReadApi & Disposable;

  beforeAll(async () => {
    cluster = await startHubCluster();
    namespace = await prepareReadApi(cluster.admin, signal);
    const { controlPlane } = cluster;
    const { certificate, key } = await cluster.issue({
      commonName: 'reader',
      organizations: ['system:masters'],
      usages: ['client'],
    });
    const url = `https://127.0.0.1:${controlPlane.port}`;
    api = createHttpsReadApi({ url, ca: controlPlane.ca, certificate, privateKey: key });
  });
  afterAll(async () => {
    api?.[Symbol.dispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  it.each(casesFor('server'))('$title', (one) =>
    runReadApiCase(one, { mode: 'server', api, admin: cluster.admin, namespace }),
  );
});
