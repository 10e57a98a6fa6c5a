import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import type { TunnelAgent } from '@selvedge/tunnel/agent';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freePort } from '../bed/free-port.ts';
import { type Authority, type KeyPair, newAuthority, openAuthority } from '../bed/pki/certificate.ts';
import { type ResetProxy, startResetProxy } from '../contract/reset-proxy.ts';
import { type Target, startEcho } from '../contract/tunnel-world.ts';
import { type ManagerWorld, type RunningManager, startManagerWorld, until } from './manager-world.ts';
import { type LoadServer, StreamLoad } from './stream-load.ts';

vi.setConfig({ testTimeout: 300_000 });

/** Two servers, each with a session of one node; streams to it come by the egress of either. */
let authority: Authority;
let folder: string;
let world: ManagerWorld;
let echo: Target;
let agent: TunnelAgent;
let client: KeyPair;

const drainSeconds = 10;
/** About half of that. */
const longMs = 4_000;

interface Server extends LoadServer {
  readonly tunnel: number;
  /** By which the agent reaches its tunnel. */
  readonly line: ResetProxy;
  run: RunningManager | undefined;
}

async function newServer(name: string): Promise<Server> {
  const tunnel = await freePort();
  const line = await startResetProxy(tunnel);
  return { name, port: await freePort(), tunnel, line, run: undefined, opened: { short: 0, long: 0 } };
}

const servers = [await newServer('one'), await newServer('two')];

async function start(server: Server): Promise<RunningManager> {
  const { name, port, tunnel, line } = server;
  const { certificate, key } = await authority.issue({
    commonName: `egress-${name}`,
    addresses: ['127.0.0.1'],
  });
  const path = (file: string): string => join(folder, `${name}.${file}`);
  await writeFile(path('crt'), certificate);
  await writeFile(path('key'), key, { mode: 0o600 });
  const address = `127.0.0.1:${port}`;
  const tls = {
    listen: address,
    advertise: address,
    certificateFile: path('crt'),
    keyFile: path('key'),
    clientCaFile: join(folder, 'ca'),
    clients: ['client'],
    servers: ['egress-one', 'egress-two'],
  };
  const manager = await world.startManager(name, {
    tunnel: { listen: [`127.0.0.1:${tunnel}`], drainSeconds },
    egress: { tls },
  });
  server.run = manager;
  return { ...manager, ports: { ...manager.ports, tunnel: [line.port] } };
}

async function stop(server: Server): Promise<void> {
  const { run } = server;
  server.run = undefined;
  run?.signal('SIGTERM');
  expect(await run?.exited).toBe(0);
}

/** From now on. */
async function opens({ name, opened }: Server): Promise<void> {
  const { short, long } = { ...opened };
  await until(`streams by ${name}`, async () => opened.short > short && opened.long > long);
}

/** Both servers take streams for the node, and either knows it of the other. */
const settled = (): Promise<true> =>
  until('a session with each', async () => {
    const sessions = (await world.edgeNode('shop-1'))?.status?.sessions ?? [];
    const live = sessions.filter(({ state }) => state !== 'draining').map(({ server }) => server);
    return live.toSorted().join() === 'one,two' && agent.links.every(({ state }) => state.kind === 'up');
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-rolling-'));
  authority = await openAuthority(await newAuthority('egress', Date.now()), systemClock);
  await writeFile(join(folder, 'ca'), authority.keyPair.certificate);
  client = await authority.issue({ commonName: 'client', usages: ['client'] });
  echo = await startEcho();
  world = await startManagerWorld();
  const shop = await world.addNode('shop-1');
  const managers = await Promise.all(servers.map(start));
  const connect = { host: '127.0.0.1', port: echo.port };
  agent = await world.startAgent(shop, managers, { allow: () => ({ kind: 'allowed', connect }) });
  await settled();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  for (const { line } of servers) await line[Symbol.asyncDispose]();
  await echo[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('no stream breaks while servers are restarted one after the other, and none is refused', async () => {
  const { certificate: ca } = authority.keyPair;
  const target = 'shop-1:10250';
  const load = new StreamLoad({ servers, target, ca, pair: client, longMs }, { clock: systemClock });
  load.start({ short: 2, long: 8 });
  for (const server of [...servers, ...servers]) {
    await opens(server);
    await stop(server);
    server.line.refuse();
    await start(server);
    // Without a session of its own: what it opens now are relayed, and go on while the other server is restarted.
    await opens(server);
    server.line.allow();
    await settled();
  }
  const { complete, broken, refused } = await load.end();
  expect({ broken, refused }).toEqual({ broken: [], refused: [] });
  expect(complete.long).toBeGreaterThan(8);
});
