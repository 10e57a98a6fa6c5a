import { connect as connectHttp2, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { until } from './kube-bench.ts';
import { member, startFalseServer } from './tunnel-hostile.ts';
import { TunnelWorld, ask, joined, open, startEcho } from './tunnel-world.ts';

const both = (direction: string): string[] => [`selvedge-${direction}/2`, `selvedge-${direction}/1`];

describe('an agent', () => {
  it('that knows version 1 only works with a server that would rather speak version 2', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const met = Promise.withResolvers<TLSSocket>();
    await using newer = await startFalseServer(world, met.resolve, both('reverse'));
    const agent = await world.agent({ servers: [newer.port], carriers: ['tls'] });
    const socket = await met.promise;
    expect(socket.alpnProtocol).toBe('selvedge-reverse/1');
    const http2 = connectHttp2('http://x', { createConnection: () => socket });
    http2.on('error', () => undefined);
    const stream = http2.request({ ':method': 'CONNECT', ':authority': echo.address });
    expect(await ask(stream, 'as in version 1')).toBe('as in version 1');
    expect(agent.links[0]?.state).toMatchObject({ kind: 'up', version: 1 });
    http2.destroy();
  });

  it('says so where the server knows none of its versions', async () => {
    await using world = await TunnelWorld.create();
    await using newer = await startFalseServer(world, () => undefined, ['selvedge-reverse/2']);
    const agent = await world.agent({ servers: [newer.port], carriers: ['tls'] });
    await until('a wait', () => agent.links[0]?.state.kind === 'waiting');
    expect(agent.links[0]?.state).toMatchObject({
      error: { code: 'Unsupported', message: expect.stringContaining('speaks no version of the tunnel') },
    });
    expect(agent.metrics.render()).toMatch(/outcome="protocol"\} [1-9]/);
  });
});

describe('a server', () => {
  it('that knows version 1 only works with an agent that would rather speak version 2', async () => {
    await using world = await TunnelWorld.create();
    const server = await world.server();
    const socket = await member(world, 'newer', {
      port: server.ports[0] ?? 0,
      ALPNProtocols: both('reverse'),
    });
    expect(socket.alpnProtocol).toBe('selvedge-reverse/1');
    const targets: unknown[] = [];
    performServerHandshake(socket).on('stream', (stream: ServerHttp2Stream, head) => {
      targets.push(head[':authority']);
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    await joined(server, 'newer');
    expect(await ask(await open(server, 'a:1', 'newer'), 'as in version 1')).toBe('as in version 1');
    expect(targets).toEqual(['a:1']);
    expect(server.sessions).toMatchObject([{ peer: 'newer', version: 1, direction: 'reverse' }]);
    socket.destroy();
  });

  it('that knows version 1 only serves the services to such an agent too', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server({
      service: () => async () => connect({ port: echo.port, host: '127.0.0.1', allowHalfOpen: true }),
    });
    const socket = await member(world, 'newer', {
      port: server.ports[0] ?? 0,
      ALPNProtocols: both('forward'),
    });
    const http2 = connectHttp2('http://x', { createConnection: () => socket });
    const stream = http2.request({ ':method': 'CONNECT', ':authority': 'kube-apiserver' });
    expect(await ask(stream, 'as in version 1')).toBe('as in version 1');
    expect(server.sessions).toMatchObject([{ peer: 'newer', version: 1, direction: 'forward' }]);
    http2.destroy();
  });
});
