import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, type TLSSocket, connect } from 'node:tls';
import { promisify } from 'node:util';
import { systemClock } from '@selvedge/kit';
import { mergePatch, resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  connectRequest,
  dialTls,
  dialUnix,
  headOf,
} from '../../packages/cloud-manager/src/egress/testing.ts';
import { freePort } from '../bed/free-port.ts';
import { type Authority, type KeyPair, newAuthority, openAuthority } from '../bed/pki/certificate.ts';
import { type EgressSite, startEgressSite } from './egress-site.ts';
import { type ManagerWorld, type RunningManager, signal, startManagerWorld, until } from './manager-world.ts';

/** What the API server has for the TLS transport comes from an authority of its own. */
let authority: Authority;
let folder: string;
let world: ManagerWorld;
let site: EgressSite;
/** Beside the API server; the agents are connected to the other one. */
let beside: RunningManager;
let far: RunningManager;
let shop: KeyPair;

const path = (name: string): string => join(folder, name);
const main = join(import.meta.dirname, '../../packages/cloud-manager/src/main.ts');

async function writePair(name: string, { certificate, key }: KeyPair): Promise<object> {
  await writeFile(path(`${name}.crt`), certificate);
  await writeFile(path(`${name}.key`), key, { mode: 0o600 });
  return { certificateFile: path(`${name}.crt`), keyFile: path(`${name}.key`) };
}

const ports = { beside: await freePort(), far: await freePort() };

/** The egress of a server: on the Unix socket too, if it is the one beside the API server. */
async function egressOf(server: keyof typeof ports): Promise<object> {
  const pair = await authority.issue({ commonName: `egress-${server}`, addresses: ['127.0.0.1'] });
  const address = `127.0.0.1:${ports[server]}`;
  const apiServer = { caFile: path('ca'), certificateFile: path('api.crt'), keyFile: path('api.key') };
  return {
    ...(server === 'beside' ? { unixSocket: path('egress.sock') } : {}),
    tls: {
      listen: address,
      advertise: address,
      ...(await writePair(server, pair)),
      clientCaFile: path('ca'),
      clients: ['kube-apiserver-egress'],
      servers: ['egress-beside', 'egress-far'],
      ...(server === 'far' ? { apiServer } : {}),
    },
  };
}

const start = async (server: keyof typeof ports): Promise<RunningManager> =>
  world.startManager(server, {
    // New streams are taken for a sixth of that.
    tunnel: { drainSeconds: 60 },
    egress: await egressOf(server),
    kubeletProxy: { listen: '127.0.0.1:0' },
  });

/** Has the API server go through that one. */
async function select({ configFile }: RunningManager): Promise<void> {
  const args = [main, 'egress-configuration', '--config', configFile];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  await writeFile(path('egress.yaml'), stdout);
  await world.cluster.controlPlane.stopApiServer();
  await world.cluster.controlPlane.startApiServer();
}

async function addPod(name: string, node: string, podIP: string): Promise<void> {
  const spec = { nodeName: node, containers: [{ name: 'main', image: 'x' }] };
  await world.admin.create(resources.pods, { metadata: { namespace: 'default', name }, spec }, { signal });
  const ready = {
    containerID: 'x://y',
    image: 'x',
    imageID: 'x',
    name: 'main',
    ready: true,
    restartCount: 0,
  };
  const status = {
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    containerStatuses: [{ ...ready, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }],
  };
  const options = { patch: mergePatch({ status }), subresource: 'status', signal };
  await world.admin.patch(resources.pods, { namespace: 'default', name }, options);
}

/** A Service on 443, and its one endpoint. */
async function addService(name: string, address: string, port: number): Promise<void> {
  const metadata = { namespace: 'default', name };
  const spec = { ports: [{ name: 'https', port: 443 }] };
  await world.admin.create(resources.services, { metadata, spec }, { signal });
  await world.admin.create(
    resources.endpointSlices,
    {
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true }, nodeName: 'shop-1' }],
      ports: [{ name: 'https', port, protocol: 'TCP' }],
    },
    { signal },
  );
}

const raw = async (url: string): Promise<string> => (await world.kubectl(['get', '--raw', url])).stdout;

async function metricsOf(manager: RunningManager): Promise<string> {
  const root = { commonName: 'root', organizations: ['system:masters'] };
  const { status, body } = await manager.get('/metrics', await world.cluster.controlPlane.issue(root));
  expect(status).toBe(200);
  return body;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-egress-'));
  authority = await openAuthority(await newAuthority('egress', Date.now()), systemClock);
  await writeFile(path('ca'), authority.keyPair.certificate);
  await writePair('api', await authority.issue({ commonName: 'kube-apiserver-egress', usages: ['client'] }));
  const direct = { name: 'cluster', connection: { proxyProtocol: 'Direct' } };
  const nothing = { apiVersion: 'apiserver.k8s.io/v1beta1', kind: 'EgressSelectorConfiguration' };
  await writeFile(path('egress.yaml'), JSON.stringify({ ...nothing, egressSelections: [direct] }));
  world = await startManagerWorld({
    apiServerFlags: [`--egress-selector-config-file=${path('egress.yaml')}`],
  });
  const { controlPlane } = world.cluster;
  site = await startEgressSite({
    kubelet: await controlPlane.issue({
      commonName: 'system:node:shop-1',
      organizations: ['system:nodes'],
      dnsNames: ['shop-1'],
      addresses: ['192.0.2.10'],
    }),
    hook: await controlPlane.issue({ commonName: 'hook', dnsNames: ['hook.default.svc'] }),
    clientCa: controlPlane.ca,
  });
  shop = await world.addNode('shop-1');
  await addPod('web', 'shop-1', '10.244.7.5');
  await addService('hook', '10.244.7.6', 9_443);
  beside = await start('beside');
  far = await start('far');
  const serve = site.serve({
    '192.0.2.10:10250': 'kubelet',
    'shop-1:10250': 'kubelet',
    '10.244.7.5:8080': 'web',
    '10.244.7.6:9443': 'hook',
  });
  await world.startAgent(shop, [far], serve);
  await until('the session', async () => (await world.edgeNode('shop-1'))?.status?.sessionCount === 1);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('without the egress the API server reaches nothing at the edge', async () => {
  await expect(
    world.kubectl(['logs', 'web', '--request-timeout=2s', '--pod-running-timeout=1s']),
  ).rejects.toThrow(/192\.0\.2\.10|(deadline|Timeout) exceeded/);
  expect(site.connections.kubelet).toBe(0);
});

test('the rights of the manifest are enough', async () => {
  for (const manager of [beside, far]) {
    expect(await metricsOf(manager)).not.toMatch(/^selvedge_kube_requests_total\{[^}]*code="403"/m);
  }
});

/** What holds whichever way the API server reaches the egress, and whether this server has the session or another. */
function behaves(): void {
  test('logs of a pod come from its kubelet', async () => {
    expect((await world.kubectl(['logs', 'web'])).stdout).toBe('first\nlast\n');
  });

  test('nodes and pods are proxied to', async () => {
    expect(await raw('/api/v1/nodes/shop-1/proxy/healthz')).toBe('ok');
    expect(await raw('/api/v1/namespaces/default/pods/web:8080/proxy/a/b')).toBe('web /a/b');
  });

  test('a refusal of the agent reaches the one who asked', async () => {
    const asked = raw('/api/v1/namespaces/default/pods/web:8081/proxy/');
    await expect(asked).rejects.toThrow(/10\.244\.7\.5:8081 is not served here/);
  });
}

describe('over the Unix socket, with the session at another server', () => {
  beforeAll(() => select(beside));

  test('the socket is its owner’s alone', async () => {
    expect((await stat(path('egress.sock'))).mode & 0o777).toBe(0o600);
  });

  behaves();

  test('a webhook is reached at the ClusterIP of its Service', async () => {
    const caBundle = Buffer.from(world.cluster.controlPlane.ca).toString('base64');
    const configuration = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'hook' },
      webhooks: [
        {
          name: 'hook.example.com',
          clientConfig: { caBundle, service: { namespace: 'default', name: 'hook', path: '/' } },
          rules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
          ],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    };
    await world.kubectl(['apply', '--filename=-'], { input: JSON.stringify(configuration) });
    const make = (name: string): Promise<unknown> => world.kubectl(['create', 'configmap', name]);
    await until('the webhook to be asked', async () =>
      make('bad').then(
        () => false,
        () => true,
      ),
    );
    await expect(make('bad')).rejects.toThrow(/the edge says no/);
    await make('good');
    expect(site.connections.hook).toBeGreaterThan(0);
    await world.kubectl(['delete', 'validatingwebhookconfiguration', 'hook']);
  });

  test('an address that two nodes at the edge hold is refused, and both are named', async () => {
    // Not by the API server: it has a connection to the kubelet that it goes on using.
    const answer = async (): Promise<string> => {
      const socket = await dialUnix(path('egress.sock'));
      socket.write(connectRequest('192.0.2.10:10250'));
      const head = await headOf(socket);
      socket.destroy();
      return head;
    };
    expect(await answer()).toMatch(/^HTTP\/1\.1 200 /);
    await world.startAgent(await world.addNode('shop-2'), [far]);
    await until('the reason', async () =>
      /192\.0\.2\.10 is held by the nodes shop-1, shop-2/.test(await answer()),
    );
    await world.admin.delete(resources.nodes, { name: 'shop-2' }, { signal });
    await until('the one node again', async () => / 200 /.test(await answer()));
  });

  test('what was asked for is counted', async () => {
    const body = await metricsOf(beside);
    const count = (labels: string): RegExp =>
      new RegExp(`^selvedge_egress_streams_total\\{${labels}\\} [1-9]`, 'm');
    expect(body).toMatch(count('rule="address",way="relay",outcome="opened"'));
    expect(body).toMatch(count('rule="pod",way="relay",outcome="opened"'));
    expect(body).toMatch(count('rule="service",way="relay",outcome="opened"'));
    expect(body).toMatch(count('rule="address",way="none",outcome="refused"'));
  });
});

describe('over TLS, at the server that has the session', () => {
  beforeAll(() => select(far));
  behaves();
});

describe('the kubelet proxy', () => {
  async function healthz(port: number | undefined, servername: string): Promise<string> {
    const { certificate: cert, key } = await world.cluster.controlPlane.issue({ commonName: 'prometheus' });
    const { ca } = world.cluster.controlPlane;
    const options: ConnectionOptions = { host: '127.0.0.1', port: port ?? 0, servername, cert, key, ca };
    // The certificate has the node's own name.
    const socket = connect({ ...options, checkServerIdentity: () => undefined });
    socket.end('GET /healthz HTTP/1.0\r\n\r\n');
    return text(socket);
  }

  test.each(['shop-1', 'shop-1.nodes.selvedge'])(
    'takes %s to the kubelet, whichever server is asked',
    async (name) => {
      expect(await healthz(far.ports.kubeletProxy, name)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
      expect(await healthz(beside.ports.kubeletProxy, name)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
    },
  );

  test.each(['shop-9.nodes.selvedge', 'kubernetes.default.svc', ''])(
    'tells who asks for "%s" by an alert',
    async (name) => {
      await expect(healthz(far.ports.kubeletProxy, name)).rejects.toThrow(/unrecognized name/);
    },
  );
});

describe('a server that drains', () => {
  /** TLS to the kubelet at the edge, through the egress of that server. */
  async function kubeletThrough({ ports: { egress = 0 } }: RunningManager): Promise<TLSSocket> {
    const pair = await authority.issue({ commonName: 'kube-apiserver-egress' });
    const tunnel = await dialTls({ port: egress, ca: authority.keyPair.certificate, pair });
    tunnel.write(connectRequest('shop-1:10250'));
    expect(await headOf(tunnel)).toMatch(/^HTTP\/1\.1 200 /);
    const { certificate: cert, key } = await world.cluster.controlPlane.issue({ commonName: 'x' });
    const socket = connect({
      socket: tunnel,
      servername: 'shop-1',
      ca: world.cluster.controlPlane.ca,
      cert,
      key,
    });
    // A drain waits as long as anybody holds on, and TLS within TLS does not always let go at its end.
    socket.once('end', () => tunnel.destroy());
    await once(socket, 'secureConnect');
    return socket;
  }

  async function healthz(socket: TLSSocket): Promise<string> {
    socket.write('GET /healthz HTTP/1.0\r\n\r\n');
    return text(socket);
  }

  test('lets its streams end, and sends new ones through another', async () => {
    const serve = site.serve({ 'shop-1:10250': 'kubelet' });
    await world.startAgent(shop, [beside], serve);
    await until('two sessions', async () => (await world.edgeNode('shop-1'))?.status?.sessionCount === 2);
    const running = await kubeletThrough(far);
    far.signal('SIGTERM');
    await until('the drain', async () => {
      const sessions = (await world.edgeNode('shop-1'))?.status?.sessions ?? [];
      return sessions.some(({ server, state }) => server === 'far' && state === 'draining');
    });
    // What the API server holds already reaches a server's own cache a moment later.
    await until('a stream through another', async () =>
      kubeletThrough(far).then(
        async (stream) => (await healthz(stream)).endsWith('\r\n\r\nok'),
        () => false,
      ),
    );
    expect(await healthz(running)).toMatch(/\r\n\r\nok$/);
    expect(await far.exited).toBe(0);
    expect(await healthz(await kubeletThrough(beside))).toMatch(/\r\n\r\nok$/);
  });
});
