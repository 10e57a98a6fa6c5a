import { systemClock } from '@selvedge/kit';
import { mergePatch, resources } from '@selvedge/kube';
import type { TunnelServer } from '@selvedge/tunnel/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { type Target, TunnelWorld, ask, open, startEcho } from '../contract/tunnel-world.ts';
import { type HubCluster, namespace, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubProcess, createHubProcess } from './hub-process.ts';

/** edge-lite with a tunnel, whose way to the API server is cut while that to the tunnel server is not. */
const { signal } = new AbortController();
/** Where the kubelet is, as the Node says and nothing on this machine. */
const nodeAddress = '192.0.2.7';
/** To whom TCP says at once that nobody can be dialled there. */
const podAddress = '224.0.0.9';

let cluster: HubCluster;
let tunnels: TunnelWorld;
let server: TunnelServer;
let kubelet: Target;
let hub: HubProcess;

const until = (what: string, look: () => Promise<boolean>): Promise<true> =>
  waitFor({ what, everyMs: 20 }, systemClock, look);

const joined = (): Promise<true> => until('the session', async () => server.reaches(nodeName));

/** What the agent answers; `hello` comes back from the kubelet. */
const say = (target: string): Promise<string> =>
  open(server, target, nodeName).then(
    (stream) => ask(stream, 'hello'),
    (error: Error) => error.message,
  );

const answers = async (): Promise<readonly string[]> => [
  await say(`${nodeAddress}:${kubelet.port}`),
  await say(`${podAddress}:80`),
  await say('224.0.0.10:80'),
];
/** The kubelet; a pod, which is dialled; and who is none, which is not. */
const asAllowed = [
  'hello',
  expect.stringContaining('ENETUNREACH'),
  expect.stringContaining('224.0.0.10:80 is no pod of node edge'),
];

beforeAll(async () => {
  [cluster, tunnels, kubelet] = await Promise.all([startHubCluster(), TunnelWorld.create(), startEcho()]);
  const node = {
    addresses: [{ type: 'InternalIP', address: nodeAddress }],
    daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
  };
  const pod = { phase: 'Running', podIP: podAddress, podIPs: [{ ip: podAddress }] };
  const statusOf = (status: object) => ({ patch: mergePatch({ status }), subresource: 'status', signal });
  await cluster.admin.patch(resources.nodes, { name: nodeName }, statusOf(node));
  await cluster.createPod('web', nodeName);
  await cluster.admin.patch(resources.pods, { namespace, name: 'web' }, statusOf(pod));
  const { certificate, key: privateKey } = await cluster.issue({
    commonName: 'tunnel',
    addresses: ['127.0.0.1'],
  });
  const credentials = { certificate, privateKey, certificateAuthority: cluster.controlPlane.ca };
  server = await tunnels.server({ credentials: () => credentials });
  hub = await createHubProcess(cluster, { tunnel: { servers: [`127.0.0.1:${server.ports[0]}`] } });
  await hub.start();
  await joined();
  await until('the Node', async () => (await say(`${nodeAddress}:${kubelet.port}`)) === 'hello');
  await until('its pod', async () => !(await say(`${podAddress}:80`)).includes('is no pod'));
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await tunnels[Symbol.asyncDispose]();
  await kubelet[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

test('its session is told of in the words that a join waits for', async () => {
  const link = { server: `127.0.0.1:${server.ports[0]}`, state: expect.objectContaining({ kind: 'up' }) };
  await expect.poll(() => hub.status()).toMatchObject({ tunnel: { links: [link] } });
});

test('the tunnel leads where it led before while the API server is away', async () => {
  expect(await answers()).toEqual(asAllowed);
  await hub.cut();
  expect(await answers()).toEqual(asAllowed);
});

test.each(['SIGTERM', 'SIGKILL'] as const)('and so it does after a restart by %s without it', async (how) => {
  await hub.stop(how);
  await until('the end of the session', async () => !server.reaches(nodeName));
  await hub.start();
  await joined();
  expect(await answers()).toEqual(asAllowed);
  expect((await hub.status()).connectivity.kind).not.toBe('online');
});
