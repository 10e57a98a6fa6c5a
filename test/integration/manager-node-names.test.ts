import { spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureAssets } from '@selvedge/hack/setup';
import { mergePatch, resources } from '@selvedge/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EgressSite, startEgressSite } from './egress-site.ts';
import { type ManagerWorld, signal, startManagerWorld, until } from './manager-world.ts';

/** The API server on a machine that asks a DNS server with our zone, and has it as a search domain. */
const zone = join(import.meta.dirname, '../../deploy/dns/api-server.corefile');
/** Port 53 of it is ours alone. */
const nameServer = `127.53.${(process.pid >> 8) & 255}.${process.pid & 255}`;

let folder: string;
let world: ManagerWorld;
let site: EgressSite;
let stopDns: () => Promise<unknown>;

/** Runs a program where `/etc/resolv.conf` is another file. */
const withResolver = (program: string, file: string): string =>
  `#!/bin/sh
exec unshare --mount -- sh -c 'mount --bind ${file} /etc/resolv.conf && exec "$0" "$@"' ${program} "$@"
`;

async function startDns(): Promise<void> {
  const { coredns } = await ensureAssets({ binaries: ['coredns'] });
  const corefile = join(folder, 'Corefile');
  const text = await readFile(zone, 'utf8');
  await writeFile(corefile, text.replace('    errors', `    bind ${nameServer}\n    errors`));
  const child = spawn(coredns, ['-conf', corefile, '-dns.port=53'], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  stopDns = async () => {
    child.kill();
    await exited;
  };
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([nameServer]);
  await until('the zone', async () => (await resolver.resolve4('a.nodes.selvedge')).length > 0);
  await expect(resolver.resolve6('a.nodes.selvedge')).rejects.toMatchObject({ code: 'ENODATA' });
  await expect(resolver.resolve4('nodes.selvedge')).rejects.toMatchObject({ code: 'ENOTFOUND' });
}

/** A Node that is known by its name alone, and its tunnel. */
async function addNode(name: string): Promise<void> {
  await world.admin.create(resources.nodes, { metadata: { name } }, { signal });
  const status = { addresses: [{ type: 'Hostname', address: name }] };
  const patch = { patch: mergePatch({ status }), subresource: 'status', signal };
  await world.admin.patch(resources.nodes, { name }, patch);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-names-'));
  await startDns();
  const { 'kube-apiserver': program } = await ensureAssets({ binaries: ['kube-apiserver'] });
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${nameServer}\nsearch nodes.selvedge\n`);
  const apiServer = join(folder, 'kube-apiserver');
  await writeFile(apiServer, withResolver(program, join(folder, 'resolv.conf')), { mode: 0o700 });
  const socket = join(folder, 'egress.sock');
  const connection = { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName: socket } } };
  const selector = {
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [{ name: 'cluster', connection }],
  };
  await writeFile(join(folder, 'egress.yaml'), JSON.stringify(selector));
  world = await startManagerWorld({
    apiServer,
    apiServerFlags: [`--egress-selector-config-file=${join(folder, 'egress.yaml')}`],
  });
  const { controlPlane } = world.cluster;
  const names = { commonName: 'system:node:shop-1', organizations: ['system:nodes'], dnsNames: ['shop-1'] };
  site = await startEgressSite({
    kubelet: await controlPlane.issue(names),
    hook: await controlPlane.issue({ commonName: 'hook' }),
    clientCa: controlPlane.ca,
  });
  const manager = await world.startManager('one', { egress: { unixSocket: socket } });
  await addNode('shop-1');
  const pair = await controlPlane.issue({ ...names, usages: ['client'] });
  await world.startAgent(pair, [manager], site.serve({ 'shop-1:10250': 'kubelet' }));
  await until('the session', async () => (await world.edgeNode('shop-1'))?.status?.sessionCount === 1);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
  await stopDns();
  await rm(folder, { recursive: true, force: true });
});

const healthz = async (name: string): Promise<string> =>
  (await world.kubectl(['get', '--raw', `/api/v1/nodes/${name}/proxy/healthz`])).stdout;

test('with the zone the API server proxies to a node by its name, wherever that leads', async () => {
  expect(await healthz('shop-1')).toBe('ok');
});

test('a node whose name it cannot look up it does not proxy to', async () => {
  // A label of DNS is no longer than that; the name of a Node may be.
  const name = 'x'.repeat(64);
  await addNode(name);
  await expect(healthz(name)).rejects.toThrow(/no such host/);
});
