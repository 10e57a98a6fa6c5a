import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type CommandResult, ensureAssets, run, runUnchecked } from '@selvedge/hack/setup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type TestHub,
  authenticateByName,
  createTestHub,
} from '../../packages/edge-lite/src/hub/endpoint/testing.ts';
import type { Caller, HubHandler } from '../../packages/edge-lite/src/hub/request.ts';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { type UpstreamWorld, startUpstream } from './hub-upstream-world.ts';
import { startControlPlane } from './kube-world.ts';

const text = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && !name.startsWith(':') ? [[name, value]] : [],
    ),
  );

describe('in front of a real API server', () => {
  const admin: Caller = { kind: 'configured', user: { username: 'admin', groups: [] }, client: 'admin' };
  let controlPlane: PrivateControlPlane;
  let world: UpstreamWorld;
  let hub: TestHub;
  let folder: string;
  let kubectlPath: string;

  beforeAll(async () => {
    kubectlPath = (await ensureAssets({ binaries: ['kubectl'] })).kubectl;
    controlPlane = await startControlPlane();
    folder = await mkdtemp(join(tmpdir(), 'hub-endpoint-'));
    const { certificate, key } = await controlPlane.issue({ commonName: 'admin', usages: ['client'] });
    world = await startUpstream([`https://127.0.0.1:${controlPlane.port}`], {
      credentials: {
        certificateAuthority: controlPlane.ca,
        clientCertificate: { certificate, privateKey: key },
      },
      clients: [{ name: 'admin', kubeconfig: controlPlane.kubeconfig }],
    });
    await world.until('online');
    const { upstream } = world;
    const pass: HubHandler = async ({ method, path, query, headers, body, caller, signal }) => {
      const asked = {
        method,
        path: query.size === 0 ? path : `${path}?${query.toString()}`,
        headers,
        body,
        signal,
      };
      const longRunning = query.get('watch') === 'true';
      const answer = await upstream.send(caller, { ...asked, longRunning });
      return { status: answer.status, headers: text(answer.headers), body: answer.body };
    };
    hub = await createTestHub({
      clusterCa: () => controlPlane.ca,
      handler: pass,
      upstream,
      access: {
        authenticate: async (shown) => (shown.certificate === undefined ? authenticateByName(shown) : admin),
        authorize: async () => ({ allowed: false, reason: '' }),
      },
    });
    await writeFile(join(folder, 'ca.crt'), hub.pki.caBundle);
    await writeFile(join(folder, 'client.crt'), certificate);
    await writeFile(join(folder, 'client.key'), key, { mode: 0o600 });
  });

  afterAll(async () => {
    await hub[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    await controlPlane.stop();
    await rm(folder, { recursive: true });
  });

  const own = (name: string): string => join(folder, name);
  const server = (): string => `https://127.0.0.1:${hub.endpoint.port}`;
  const kubectl = (args: readonly string[], input?: string): Promise<CommandResult> =>
    runUnchecked({
      argv: [
        kubectlPath,
        `--server=${server()}`,
        `--certificate-authority=${own('ca.crt')}`,
        `--client-certificate=${own('client.crt')}`,
        `--client-key=${own('client.key')}`,
        `--cache-dir=${own('cache')}`,
        ...args,
      ],
      ...(input === undefined ? {} : { input }),
      env: { ...process.env, KUBECONFIG: own('none') },
    });
  const curl = (args: readonly string[]): Promise<CommandResult> =>
    runUnchecked({ argv: ['curl', '--silent', '--show-error', '--cacert', own('ca.crt'), ...args] });
  const withCertificate = (): readonly string[] => ['--cert', own('client.crt'), '--key', own('client.key')];

  it.each(['--http1.1', '--http2'])(
    'curl %s is served with a certificate and with a token',
    async (version) => {
      const format = ['--write-out', '\n%{http_version} %{http_code}', version];
      const listed = await curl([...format, ...withCertificate(), `${server()}/api/v1/namespaces/default`]);
      expect(listed.stdout).toMatch(/"name": ?"default"/);
      expect(listed.stdout.split('\n').at(-1)).toBe(version === '--http2' ? '2 200' : '1.1 200');
      const token = ['--header', 'authorization: Bearer token-of-nobody'];
      const refused = await curl([...format, ...token, `${server()}/api/v1/namespaces/default`]);
      // The token is passed on, and the API server does not know it.
      expect(refused.stdout.split('\n').at(-1)).toMatch(/ 401$/);
      const nobody = await curl([...format, `${server()}/version`]);
      expect(nobody.stdout.split('\n').at(-1)).toMatch(/ 401$/);
      const head = await curl([...format, ...withCertificate(), '--head', `${server()}/version`]);
      expect(head.stdout.split('\n').at(-1)).toMatch(/ 200$/);
    },
  );

  it('kubectl discovers, creates, applies, watches and deletes', async () => {
    expect((await kubectl(['version'])).stdout).toContain('Server Version');
    expect((await kubectl(['api-resources'])).stdout).toContain('customresourcedefinitions');
    await kubectl(['create', 'configmap', 'made', '--from-literal=a=b']);
    const manifest = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'made' },
      data: { a: 'c' },
    });
    const applied = await kubectl(['apply', '--server-side', '--force-conflicts', '--filename=-'], manifest);
    expect(applied.stdout).toContain('serverside-applied');
    const read = await kubectl(['get', 'configmap', 'made', '--output=jsonpath={.data.a}']);
    expect(read.stdout).toBe('c');
    const waited = kubectl(['wait', '--for=delete', 'configmap/made', '--timeout=20s']);
    await kubectl(['delete', 'configmap', 'made']);
    expect((await waited).exitCode).toBe(0);
  });

  it('a large object goes through as it is', async () => {
    const data = { a: 'x'.repeat(900_000) };
    const manifest = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'large' },
      data,
    });
    expect((await kubectl(['create', '--filename=-'], manifest)).exitCode).toBe(0);
    const read = await kubectl(['get', 'configmap', 'large', '--output=jsonpath={.data.a}']);
    expect(read.stdout).toHaveLength(900_000);
  });

  it('kubectl exec is refused by the API server itself', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'nowhere' },
      spec: { containers: [{ name: 'c', image: 'i' }], automountServiceAccountToken: false },
    };
    await kubectl(['create', 'serviceaccount', 'default']);
    await kubectl(['create', '--filename=-'], JSON.stringify(pod));
    const asked = await kubectl(['exec', 'nowhere', '--', 'true']);
    expect(asked.exitCode).not.toBe(0);
    expect(asked.stderr).toContain('does not have a host assigned');
  });
});

interface Node extends AsyncDisposable {
  readonly port: number;
  readonly caFile: string;
}

const names = { node: 'selvedge-ep-node', pod: 'selvedge-ep-pod', foreign: 'selvedge-ep-far' } as const;
const inside = (namespace: string, argv: readonly string[]): [string, ...string[]] => [
  'nsenter',
  `--net=/var/run/netns/${namespace}`,
  '--',
  ...argv,
];

async function removeNetwork(): Promise<void> {
  for (const name of Object.values(names)) await runUnchecked({ argv: ['ip', 'netns', 'delete', name] });
}

/** A node with a pod behind it, and a neighbour on its LAN that wants to use the node as its way to the hub. */
async function makeNetwork(): Promise<void> {
  await removeNetwork();
  for (const name of Object.values(names)) await run({ argv: ['ip', 'netns', 'add', name] });
  const { node, pod, foreign } = names;
  const lines = [
    `link add pod0 netns ${node} type veth peer name eth0 netns ${pod}`,
    `link add lan0 netns ${node} type veth peer name eth0 netns ${foreign}`,
  ];
  await run({ argv: ['ip', '-batch', '-'], input: `${lines.join('\n')}\n` });
  const within: Readonly<Record<string, readonly string[]>> = {
    [node]: [
      'addr add 10.99.1.1/24 dev pod0',
      'link set pod0 up',
      'addr add 10.99.2.1/24 dev lan0',
      'link set lan0 up',
    ],
    [pod]: [
      'addr add 10.99.1.5/24 dev eth0',
      'addr add 10.99.1.9/24 dev eth0',
      'link set eth0 up',
      'route add default via 10.99.1.1',
    ],
    [foreign]: [
      'addr add 10.99.2.7/24 dev eth0',
      'link set eth0 up',
      'route add 169.254.77.1/32 via 10.99.2.1',
    ],
  };
  for (const [name, commands] of Object.entries(within)) {
    const input = `${['link set lo up', ...commands].join('\n')}\n`;
    await run({ argv: ['ip', '-n', name, '-batch', '-'], input });
  }
}

async function startNode(): Promise<Node> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-endpoint-'));
  const main = join(import.meta.dirname, 'hub-endpoint-main.ts');
  const [program, ...args] = inside(names.node, [process.execPath, main]);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { port, ca } = JSON.parse(line) as { readonly port: number; readonly ca: string };
  const caFile = join(folder, 'ca.crt');
  await writeFile(caFile, ca);
  return {
    port,
    caFile,
    async [Symbol.asyncDispose]() {
      const closed = once(child, 'close');
      child.stdin.end();
      await closed;
      await rm(folder, { recursive: true });
    },
  };
}

describe('on the link-local address of a node', () => {
  beforeAll(makeNetwork);
  afterAll(removeNetwork);

  const ask = (from: string, node: Node, more: readonly string[] = []): Promise<CommandResult> =>
    runUnchecked({
      argv: inside(from, [
        'curl',
        '--silent',
        '--show-error',
        '--max-time',
        '5',
        '--cacert',
        node.caFile,
        '--header',
        'authorization: Bearer token-of-ann',
        ...more,
        `https://169.254.77.1:${node.port}/version`,
      ]),
    });
  const addresses = async (): Promise<string> =>
    (await run({ argv: ['ip', '-n', names.node, 'addr', 'show', 'dev', 'lo'] })).stdout;

  it('pods and the node are served, and nobody else, wherever he has his route', async () => {
    await using node = await startNode();
    expect((await ask(names.pod, node, ['--interface', '10.99.1.5'])).stdout).toContain('"user":"ann"');
    expect((await ask(names.node, node)).stdout).toContain('"user":"ann"');
    const foreign = await ask(names.foreign, node);
    // Reset, not lost on the way: 28 would be the time that has passed.
    expect([7, 35, 56]).toContain(foreign.exitCode);
    expect(foreign.stdout).toBe('');
  });

  it('a pod that does not know the hub yet is relayed', async () => {
    await using node = await startNode();
    const relayed = await runUnchecked({
      argv: inside(names.pod, [
        'curl',
        '--silent',
        '--max-time',
        '2',
        '--http0.9',
        '--interface',
        '10.99.1.9',
        `http://169.254.77.1:${node.port}/heard`,
      ]),
    });
    expect(relayed.stdout).toContain('GET /heard HTTP/1.1');
  });

  it('the address is there while the hub runs, and not afterwards', async () => {
    {
      await using node = await startNode();
      expect(node.port).toBeGreaterThan(0);
      expect(await addresses()).toContain('169.254.77.1/32');
    }
    expect(await addresses()).not.toContain('169.254.77.1');
  });
});
