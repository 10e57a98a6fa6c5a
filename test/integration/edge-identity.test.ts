import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { type Cluster, createEdgeNode, startCluster, text } from './edge-world.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

test('a node joins by token, and needs none when it starts again', async () => {
  await using node = await createEdgeNode(cluster, 'joins');
  await node.writeToken(text(await cluster.createToken()));
  const first = await node.start();
  await first.line('synced');
  await waitFor({ what: 'the Node' }, systemClock, () => node.node());
  expect((await stat(join(node.pki, 'client.pem'))).mode & 0o777).toBe(0o600);
  expect(await readdir(node.pki)).toEqual(['ca.crt', 'client.pem', 'seal.key']);
  first.signal('SIGTERM');
  expect(await first.exited).toBe(0);
  await node.writeToken('nothing');
  const second = await node.start();
  await second.line('synced');
  expect(second.lines.some((line) => line.text === 'certificate requested')).toBe(false);
});
