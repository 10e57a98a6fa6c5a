import { afterAll, beforeAll, describe, it } from 'vitest';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { createHttpsReadApi } from '../contract/read-api-client.ts';
import { prepareReadApi, type ReadApiWorld } from '../contract/read-api-world.ts';
import { casesFor, runReadApiCase } from '../contract/read-api.ts';
import { connect, startControlPlane, type TestClient } from './kube-world.ts';

describe('the read API of kube-apiserver', () => {
  let controlPlane: PrivateControlPlane;
  let direct: TestClient;
  let world: ReadApiWorld;
  const stack = new DisposableStack();

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    direct = await connect(controlPlane.kubeconfig);
    const admin = await controlPlane.issue({
      commonName: 'reader',
      organizations: ['system:masters'],
      usages: ['client'],
    });
    const api = stack.use(
      createHttpsReadApi({
        url: `https://127.0.0.1:${controlPlane.port}`,
        ca: controlPlane.ca,
        certificate: admin.certificate,
        privateKey: admin.key,
      }),
    );
    const namespace = await prepareReadApi(direct.client, AbortSignal.timeout(30_000));
    world = { mode: 'server', api, admin: direct.client, namespace };
  });
  afterAll(async () => {
    stack.dispose();
    await direct?.[Symbol.asyncDispose]();
    await controlPlane?.stop();
  });

  it.each(casesFor('server'))('$title', async (one) => {
    await runReadApiCase(one, world);
  });
});
