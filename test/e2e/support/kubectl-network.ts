import { join } from 'node:path';
import { runUnchecked } from '@selvedge/hack/setup';
import { expect, it } from 'vitest';
import type { KubectlNode } from './kubectl-node.ts';
import { connectThrough, converse, dialHere, pour, tallyOf } from './traffic.ts';
import { partingBytes, podOf, ports } from './tunnel-pods.ts';

/** More than all buffers on the way hold. */
const bufferedBytes = 32 * 1024 * 1024;

/** What a URL of this machine answers. */
export async function fetchHere(port: number, path: string): Promise<string> {
  const url = `http://127.0.0.1:${port}${path}`;
  return (await runUnchecked({ argv: ['curl', '--silent', '--max-time', '20', url] })).stdout;
}

/** `port-forward`. */
export function itForwards({ kubectl, node, trafficMs }: KubectlNode): void {
  const tools = podOf(node);

  it('forwards a port: requests, one after the other and at the same time', async () => {
    const port = await kubectl.forward(`pod/${tools}`, ports.web);
    expect(await fetchHere(port, '/hostname')).toBe(tools);
    const answers = await Promise.all([1, 2, 3].map((n) => fetchHere(port, `/echo?msg=${n}`)));
    expect(answers).toEqual(['1', '2', '3']);
  });

  it('forwards a port of a Service’s pod', async () => {
    const port = await kubectl.forward(`service/${tools}`, 80);
    expect(await fetchHere(port, '/hostname')).toBe(tools);
  });

  it('forwards a connection with traffic both ways, beside a stream that nobody reads', async () => {
    const stalled = kubectl.spawn(kubectl.argv('exec', tools, '--', 'cat', '/dev/zero'));
    const port = await kubectl.forward(`pod/${tools}`, ports.echo);
    const { sent, back, turns } = await converse({ port, forMs: trafficMs });
    expect(back).toEqual(sent);
    expect(turns).toBeGreaterThan(4);
    // It goes on as soon as it is read.
    expect(await tallyOf(stalled.stdout, bufferedBytes)).toMatchObject({ bytes: bufferedBytes });
  });

  it('forwards all that a server says before it hangs up', async () => {
    const port = await kubectl.forward(`pod/${tools}`, ports.parting);
    const socket = await dialHere(port);
    expect(await tallyOf(socket)).toMatchObject({ bytes: partingBytes });
    socket.destroy();
  });
}

/** The API server's proxies, and its streams. */
export function itIsProxied(suite: KubectlNode): void {
  const { here, kubectl, node } = suite;
  const tools = podOf(node);
  const paths = {
    [`/api/v1/namespaces/default/pods/${tools}:${ports.web}/proxy/hostname`]: tools,
    [`/api/v1/namespaces/default/services/${tools}:80/proxy/hostname`]: tools,
    [`/api/v1/nodes/${node}/proxy/healthz`]: 'ok',
  };

  it('is reached by the API server’s proxy: pods, Services and the node', async () => {
    const answers = Object.keys(paths).map(async (path) => [path, await here.get(path)]);
    expect(Object.fromEntries(await Promise.all(answers))).toEqual(paths);
  });

  it('is reached by `kubectl proxy`', async () => {
    const proxy = kubectl.talk(kubectl.argv('proxy', '--port=0'));
    const port = Number((await proxy.hears(/^Starting to serve on 127\.0\.0\.1:(\d+)/))[1]);
    const answers = Object.keys(paths).map(async (path) => [path, await fetchHere(port, path)]);
    expect(Object.fromEntries(await Promise.all(answers))).toEqual(paths);
  });

  it('carries a connection whose one end has said all, until the other has too', async () => {
    const of = ['get', 'pod', tools, '--output=jsonpath={.status.podIP}'];
    const address = (await kubectl.run(of)).stdout;
    const file = join(here.bed.logs, '../control-plane/egress.sock');
    const socket = await connectThrough(file, `${address}:${ports.echo}`);
    const [sent, back] = await Promise.all([pour(socket, 20_000_000), tallyOf(socket)]);
    expect(back).toEqual(sent);
  });

  it('refuses what its list does not have, and the caller reads why', async () => {
    const { exitCode, stderr } = await kubectl.run(['get', '--raw', `/api/v1/nodes/${node}:22/proxy/`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`of node ${node} only port 10250, the kubelet's, is allowed`);
  });
}
