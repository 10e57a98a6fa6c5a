import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, get as httpGet } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ensureAssets } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import type { CertificateSigningRequest, Pod } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureImages, imageRefs } from '../bed/images/index.ts';
import { type Kubectl, createKubectl } from '../bed/kubectl.ts';
import { type PrivateContainerd, createPrivateContainerd } from '../bed/node/private-containerd.ts';
import { freePort } from '../bed/free-port.ts';
import { waitFor } from '../bed/wait.ts';
import {
  type Cluster,
  type EdgeLite,
  type EdgeNode,
  createEdgeNode,
  edgeLiteFromSource,
  startCluster,
  tokenText,
} from './edge-world.ts';
import { describeLogs } from './kubelet-logs-suite.ts';
import { describeStats } from './kubelet-stats-suite.ts';

const signal = new AbortController().signal;
const nodeName = 'kubelet-api';
const webPort = await freePort();
const hubPort = await freePort();

let cluster: Cluster;
let containerd: PrivateContainerd;
let edge: EdgeNode;
let agent: EdgeLite;
let kubectl: Kubectl;
let program = '';
/** Where the API is served. */
let place = { host: '', port: 0 };

const modules = { hub: { port: hubPort, address: 'none' }, pods: { kubeletApi: { port: 0 } } };
const startAgent = (): Promise<EdgeLite> =>
  edge.start({ runtime: { endpoint: containerd.endpoint, cgroupRoot: containerd.cgroup }, modules });

const shell = (script: string): string[] => ['sh', '-c', script];

const pod: Pod = {
  metadata: { namespace: 'default', name: 'till' },
  spec: {
    nodeName,
    hostNetwork: true,
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'main',
        image: imageRefs.busybox,
        command: shell(`echo hello > index.html; httpd -f -p ${webPort}`),
        workingDir: '/tmp',
      },
      { name: 'reader', image: imageRefs.busybox, command: ['cat'], stdin: true },
    ],
  },
};

async function servingRequest(): Promise<CertificateSigningRequest> {
  return waitFor({ what: 'a request for a serving certificate' }, systemClock, async (inner) => {
    const { items } = await cluster.admin.list(resources.certificateSigningRequests, { signal: inner });
    return items.find(({ spec }) => spec.signerName === 'kubernetes.io/kubelet-serving');
  });
}

/** The test's part of cloud-manager. */
async function approve(): Promise<void> {
  const { metadata } = await servingRequest();
  await kubectl(['certificate', 'approve', metadata.name ?? '']);
}

beforeAll(async () => {
  const assets = await ensureAssets({ binaries: ['containerd', 'ctr', 'runc', 'kubectl'] });
  const images = await ensureImages({ names: ['pause', 'busybox'] });
  const programs = { containerd: assets.containerd, ctr: assets.ctr, runc: assets.runc };
  containerd = createPrivateContainerd(
    { version: '1.6', programs, images, hostNetwork: true },
    { clock: systemClock },
  );
  [cluster] = await Promise.all([startCluster(), containerd.start(signal)]);
  program = assets.kubectl;
  kubectl = createKubectl({ program, kubeconfig: cluster.controlPlane.kubeconfig });
  edge = await createEdgeNode(cluster, nodeName);
  await edge.writeToken(tokenText(await cluster.createToken()));
  agent = await startAgent();
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await containerd.stop();
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const kubectlArgs = (args: readonly string[]): string[] => [
  `--kubeconfig=${cluster.controlPlane.kubeconfig}`,
  ...args,
];

/** kubectl with an input; resolves whatever it ends with. */
async function run(args: readonly string[], input: string | Buffer = '', env = {}): Promise<Ran> {
  const child = spawn(program, kubectlArgs(args), { stdio: 'pipe', env: { ...process.env, ...env } });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

interface Answered {
  readonly status: number;
  readonly text: string;
}

/** One request straight to the node. */
async function ask(
  path: string,
  credentials: { readonly token?: string; readonly cert?: string; readonly key?: string } = {},
): Promise<Answered> {
  const { token, ...pair } = credentials;
  const sent = httpsRequest({
    ...place,
    path,
    ca: cluster.controlPlane.ca,
    servername: nodeName,
    agent: false,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...pair,
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, text: await text(response) };
}

/** A token of a service account that may read the metrics and the health of nodes. */
async function tokenOf(account: string, ...flags: readonly string[]): Promise<string> {
  return (await kubectl(['create', 'token', account, ...flags])).stdout.trim();
}

/** What `edge-lite status` says of the API: `selvedge join` waits by it. */
async function says(): Promise<unknown> {
  const [node, ...args] = edgeLiteFromSource;
  const child = spawn(node, [...args, 'status', '--config', join(edge.root, 'edge-lite.yaml')]);
  const [printed] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return (JSON.parse(printed) as { readonly hub: { readonly kubeletApi?: unknown } }).hub.kubeletApi;
}

describe('the serving certificate', () => {
  test('is asked for with the names of the Node, and nothing listens until it is approved', async () => {
    const { spec } = await servingRequest();
    expect(spec).toMatchObject({
      username: `system:node:${nodeName}`,
      usages: ['digital signature', 'server auth'],
    });
    await agent.line('kubelet API waits for its certificate');
    expect((await edge.node())?.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0).toBe(0);
    expect(await says()).toEqual({ listens: false });
    await approve();
    const { fields } = { fields: await agent.line('kubelet API listens') };
    const listening = Number(fields['port']);
    const node = await waitFor({ what: 'the port in the Node' }, systemClock, async () => {
      const found = await edge.node();
      return found?.status?.daemonEndpoints?.kubeletEndpoint?.Port === listening ? found : undefined;
    });
    const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
    place = { host: address, port: listening };
    expect(await ask('/healthz')).toMatchObject({ status: 401, text: 'Unauthorized' });
    expect(await says()).toEqual({ listens: true });
  });
});

describe('kubectl through the API server', () => {
  test('runs commands, with their output and exit code', async () => {
    await cluster.admin.create(resources.pods, pod, { signal });
    await kubectl(['wait', '--for=condition=Ready', 'pod/till', '--timeout=60s']);
    const out = await run(['exec', 'till', '-c', 'main', '--', ...shell('echo out; echo err >&2; exit 3')]);
    expect(out).toMatchObject({ code: 3, stdout: 'out\n' });
    expect(out.stderr).toContain('err\n');
    const gone = await run(['exec', 'till', '-c', 'none', '--', 'true']);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain('container none is not valid for pod till');
  });

  test('of a time before WebSocket does the same over SPDY', async () => {
    const spdy = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' };
    const args = ['exec', '-i', 'till', '-c', 'main', '--', ...shell('cat; exit 4')];
    expect(await run(args, 'in\n', spdy)).toMatchObject({ code: 4, stdout: 'in\n' });
  });

  test('sends much to a command, which gets all of it and its end', async () => {
    const sent = randomBytes(20 * 1024 * 1024);
    const { code, stdout } = await run(['exec', '-i', 'till', '-c', 'main', '--', 'sha256sum'], sent);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${createHash('sha256').update(sent).digest('hex')}  -\n`,
    });
  });

  test('gets much from a command', async () => {
    const script = shell('head -c 20971520 /dev/zero');
    const { code, stdout } = await run(['exec', 'till', '-c', 'main', '--', ...script]);
    expect({ code, bytes: stdout.length }).toEqual({ code: 0, bytes: 20 * 1024 * 1024 });
  });

  test('copies files there and back', async () => {
    const there = join(edge.root, 'there');
    const back = join(edge.root, 'back');
    const sent = randomBytes(3 * 1024 * 1024);
    await writeFile(there, sent);
    await kubectl(['cp', there, 'till:/tmp/copied', '-c', 'main']);
    await kubectl(['cp', 'till:/tmp/copied', back, '-c', 'main']);
    expect(sent.equals(await readFile(back))).toBe(true);
  });

  test('has a terminal, as large as its own', async () => {
    const exec = [program, ...kubectlArgs(['exec', '-it', 'till', '-c', 'main', '--', 'sh', '-c'])];
    // The size comes behind the start; until then there is none.
    const size = `'until stty size | grep 33; do sleep 1; done'`;
    const child = spawn('script', ['-qec', `stty rows 33 cols 99; ${exec.join(' ')} ${size}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    expect(await text(child.stdout)).toContain('33 99');
  });

  test('attaches to a container that reads', async () => {
    const child = spawn(program, kubectlArgs(['attach', '-i', 'till', '-c', 'reader']), { stdio: 'pipe' });
    let heard = '';
    child.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    const closed = once(child, 'close');
    child.stdin.write('are you there\n');
    await waitFor({ what: 'an echo' }, systemClock, async () => heard.includes('are you there'));
    child.kill('SIGINT');
    await closed;
  });

  test('forwards a port, for many connections at once', async () => {
    const child: ChildProcess = spawn(program, kubectlArgs(['port-forward', 'till', `:${webPort}`]), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const port = await waitFor({ what: 'a forwarded port' }, systemClock, async () => {
      const [, found] = /127\.0\.0\.1:(\d+) ->/.exec(said) ?? [];
      return found === undefined ? undefined : Number(found);
    });
    const fetched = Array.from({ length: 20 }, async () => {
      const [response] = (await once(httpGet({ host: '127.0.0.1', port, agent: false }), 'response')) as [
        IncomingMessage,
      ];
      return text(response);
    });
    expect(new Set(await Promise.all(fetched))).toEqual(new Set(['hello\n']));
    const closed = once(child, 'close');
    child.kill('SIGINT');
    await closed;
  });

  test('reads the pages of the node', async () => {
    const raw = async (path: string): Promise<string> =>
      (await kubectl(['get', '--raw', `/api/v1/nodes/${nodeName}:${place.port}/proxy${path}`])).stdout;
    expect(await raw('/healthz')).toBe('ok');
    expect(JSON.parse(await raw('/pods'))).toMatchObject({ items: [{ metadata: { name: 'till' } }] });
    expect(JSON.parse(await raw('/configz'))).toMatchObject({ kubeletconfig: { maxPods: 110 } });
    expect(JSON.parse(await raw('/runningpods/'))).toMatchObject({ items: [{ metadata: { name: 'till' } }] });
  });
});

describeLogs({
  nodeName,
  root: () => edge.root,
  create: (one) => cluster.admin.create(resources.pods, one, { signal }),
  run,
});

describe('who asks the node itself', () => {
  beforeAll(async () => {
    await kubectl(['create', 'serviceaccount', 'scraper']);
    await kubectl(['create', 'serviceaccount', 'nobody']);
    await kubectl([
      'create',
      'clusterrole',
      'scrape',
      '--verb=get',
      '--resource=nodes/metrics,nodes/stats,nodes/healthz',
    ]);
    await kubectl([
      'create',
      'clusterrolebinding',
      'scrape',
      '--clusterrole=scrape',
      '--serviceaccount=default:scraper',
    ]);
  });

  test('may what his role says, and no more', async () => {
    const token = await tokenOf('scraper');
    expect(await ask('/healthz', { token })).toEqual({ status: 200, text: 'ok' });
    expect(await ask('/pods', { token })).toMatchObject({
      status: 403,
      text: expect.stringContaining('subresource(s)=[pods proxy]'),
    });
    expect((await ask('/exec/default/till/main?command=id&output=1', { token })).status).toBe(403);
    expect((await ask('/healthz', { token: await tokenOf('nobody') })).status).toBe(403);
  });

  test('is nobody with a token for others, or one that was changed', async () => {
    const other = await tokenOf('scraper', '--audience=vault');
    expect(await ask('/healthz', { token: other })).toMatchObject({ status: 401 });
    const token = await tokenOf('scraper');
    expect(await ask('/healthz', { token: `${token.slice(0, -4)}AAAA` })).toMatchObject({ status: 401 });
  });

  test('is who his certificate names', async () => {
    const issue = async (commonName: string, usage: 'client' | 'server'): Promise<object> => {
      const organizations = ['system:masters'];
      const pair = await cluster.controlPlane.issue({ commonName, organizations, usages: [usage] });
      return { cert: pair.certificate, key: pair.key };
    };
    expect((await ask('/configz', await issue('jane', 'client'))).status).toBe(200);
    expect((await ask('/configz', await issue('jane', 'server'))).status).toBe(401);
  });
});

describeStats({ nodeName, ask: async (path) => ask(path, { token: await tokenOf('scraper') }) });

describe('without the cloud', () => {
  test('a node that was restarted serves whom it served before, and nobody else', async () => {
    const token = await tokenOf('scraper');
    const unseen = await tokenOf('scraper', '--duration=20m');
    expect((await ask('/healthz', { token })).status).toBe(200);
    await cluster.controlPlane.stopApiServer('kill');
    agent.signal('SIGTERM');
    expect(await agent.exited).toBe(0);
    agent = await startAgent();
    const line = await agent.line('kubelet API listens');
    place = { ...place, port: Number(line['port']) };
    const served = await waitFor({ what: 'an answer' }, systemClock, async () => {
      const answer = await ask('/healthz', { token });
      return answer.status === 200 ? answer : undefined;
    });
    expect(served.text).toBe('ok');
    expect(await ask('/healthz', { token: unseen })).toMatchObject({ status: 503 });
  });
});
