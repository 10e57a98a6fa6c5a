import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { type Connections, createConnections } from './connections.ts';

const caps = { maxConnections: 10, maxConnectionsPerSource: 3, maxConnectionsFromLoopback: 4 };

const fill = (connections: Connections, address: string, count: number): readonly (string | undefined)[] =>
  Array.from({ length: count }, () => connections.admit(new Socket(), address));

it('pods together leave the loopback addresses their connections', () => {
  const connections = createConnections(caps);
  expect(fill(connections, '10.0.0.1', 4)).toEqual([undefined, undefined, undefined, 'source']);
  expect(fill(connections, '10.0.0.2', 3)).toEqual([undefined, undefined, undefined]);
  expect(fill(connections, '10.0.0.3', 1)).toEqual(['total']);
  expect(fill(connections, '127.0.0.1', 2)).toEqual([undefined, undefined]);
  expect(fill(connections, '::1', 3)).toEqual([undefined, undefined, 'source']);
  expect(connections.size).toBe(10);
});

it('a connection that closes makes room for one of the same address', async () => {
  const connections = createConnections(caps);
  const socket = new Socket();
  connections.admit(socket, '10.0.0.1');
  fill(connections, '10.0.0.1', 2);
  const closed = new Promise((resolve) => {
    socket.once('close', resolve);
  });
  socket.destroy();
  await closed;
  expect(fill(connections, '10.0.0.1', 2)).toEqual([undefined, 'source']);
});
