import { readFile } from 'node:fs/promises';
import { mergePatch, resources } from '@selvedge/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { KeyPair } from '../bed/pki/certificate.ts';
import { type ManagerWorld, type RunningManager, signal, startManagerWorld, until } from './manager-world.ts';

/** A cluster whose nodes show certificates of another CA than the one that pods are given, as with k3s and RKE2. */
let world: ManagerWorld;
let manager: RunningManager;

beforeAll(async () => {
  world = await startManagerWorld({ ownClientCa: true });
  manager = await world.startManager('cloud-1');
});
afterAll(() => world[Symbol.asyncDispose]());

test('nodes are let in whose certificates the API server takes, and no others', async () => {
  const pair = await world.addNode('shop-1');
  const agent = await world.startAgent(pair, [manager]);
  await until('a session', async () => agent.links[0]?.state.kind === 'up');
  // Of the CA that pods and nodes verify API servers by: it makes no clients.
  const { controlPlane } = world.cluster;
  const node = { commonName: 'system:node:shop-2', organizations: ['system:nodes'] };
  const stranger = await world.startAgent(await controlPlane.issue(node), [manager]);
  await until('a refusal', async () => stranger.links[0]?.state.kind === 'waiting');
  // What API servers trust changes, as while a CA is replaced; they keep what others add.
  const at = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };
  const key = 'client-ca-file';
  const { data = {} } = await world.admin.get(resources.configMaps, at, { signal });
  const patch = mergePatch({ data: { [key]: 'no certificates' } });
  await world.admin.patch(resources.configMaps, at, { patch, signal });
  const both = mergePatch({ data: { [key]: `${data[key] ?? ''}${controlPlane.ca}` } });
  await world.admin.patch(resources.configMaps, at, { patch: both, signal });
  await until('another session', async () => stranger.links[0]?.state.kind === 'up');
  expect(agent.links[0]?.state.kind).toBe('up');
});

test('so is an administrator who looks at it with his certificate', async () => {
  const kubeconfig: unknown = parse(await readFile(world.cluster.controlPlane.kubeconfig, 'utf8'));
  const [{ user }] = (kubeconfig as { users: [{ user: Readonly<Record<string, string>> }] }).users;
  const text = (key: string): string => Buffer.from(user[key] ?? '', 'base64').toString();
  const admin: KeyPair = { certificate: text('client-certificate-data'), key: text('client-key-data') };
  expect((await manager.get('/metrics', admin)).status).toBe(200);
  expect((await manager.get('/metrics')).status).toBe(401);
});
