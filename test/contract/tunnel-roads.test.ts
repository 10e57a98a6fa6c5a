import { TLSSocket, createSecureContext, connect as tlsConnect } from 'node:tls';
import { explain } from '@selvedge/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startConnectProxy } from './connect-proxy.ts';
import { until } from './kube-bench.ts';
import {
  TunnelWorld,
  ask,
  joined,
  open,
  startEcho,
  startTarget,
  type Target,
  type WorldServer,
} from './tunnel-world.ts';

let world: TunnelWorld;
let server: WorldServer;

beforeEach(async () => {
  world = await TunnelWorld.create();
  server = await world.server();
});
afterEach(() => world[Symbol.asyncDispose]());

/** Ends TLS and speaks TLS to the server, without ALPN, as nginx does. */
async function startBalancer(port: number): Promise<Target> {
  const { certificate: cert, privateKey: key } = await world.issue({
    commonName: 'balancer',
    dnsNames: ['localhost'],
  });
  const secureContext = createSecureContext({ cert, key });
  return startTarget((socket) => {
    const front = new TLSSocket(socket, { isServer: true, secureContext });
    const back = tlsConnect({ port, rejectUnauthorized: false });
    for (const end of [front, back]) end.on('error', () => socket.destroy());
    socket.once('close', () => back.destroy());
    front.pipe(back).pipe(front);
  });
}

it('leads through a balancer that ends TLS and names no protocol to the server behind it', async () => {
  await using echo = await startEcho();
  const [port = 0] = server.ports;
  await using balancer = await startBalancer(port);
  const webSocketUrl = `wss://localhost:${balancer.port}/selvedge/tunnel`;
  const servers = [{ address: `127.0.0.1:${port}`, webSocketUrl }];
  const agent = await world.agent({ servers, carriers: ['websocket'] });
  await joined(server);
  expect(await ask(await open(server, echo.address), 'hello')).toBe('hello');
  expect(agent.metrics.render()).toContain(
    'selvedge_tunnel_sessions_total{direction="reverse",carrier="websocket",outcome="opened"} 1',
  );
});

describe.each(['tls', 'websocket'] as const)('an attempt over %s', (carrier) => {
  it('is made with the account for the proxy as it is then', async () => {
    await using proxy = await startConnectProxy({ credentials: 'shop:new' });
    let password = 'old';
    const account = { url: proxy.url, account: async () => ({ username: 'shop', password }) };
    const agent = await world.agent({ servers: [...server.ports], carriers: [carrier], proxy: account });
    await until('a failure', () => agent.links[0]?.state.kind === 'waiting');
    password = 'new';
    await joined(server);
  });

  it('that the proxy refuses is counted as such, and the agent says what to check', async () => {
    await using proxy = await startConnectProxy({ credentials: 'shop:secret' });
    const account = { url: proxy.url, username: 'shop', password: 'wrong' };
    const agent = await world.agent({ servers: [...server.ports], carriers: [carrier], proxy: account });
    const said = (): string => {
      const state = agent.links[0]?.state;
      return state?.kind === 'waiting' ? explain(state.error) : '';
    };
    await until('the failure', () => said() !== '');
    expect(said()).toMatch(/answered 407 .* \(check the credentials for the proxy\)$/);
    expect(agent.metrics.render()).toContain(
      `selvedge_tunnel_sessions_total{direction="reverse",carrier="${carrier}",outcome="proxy"}`,
    );
  });
});
