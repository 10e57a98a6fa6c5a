import { mergePatch, resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AutonomyWorld,
  type RunningAutonomy,
  edgeNodeResource,
  neverGivenUp,
  ownSeconds,
  signal,
  until,
} from './autonomy-world.ts';

let world: AutonomyWorld;
let running: RunningAutonomy;

beforeAll(async () => {
  world = await AutonomyWorld.start();
  running = await world.run();
});
afterAll(async () => {
  await running.stop();
  await world[Symbol.asyncDispose]();
});

/** Each waits for what a stock controller does in its time, several times. */
const patient = { timeout: 300_000 };

const autonomous = 'selvedge.io/autonomous:NoSchedule';
const unreachable = 'node.kubernetes.io/unreachable:NoExecute';
const outOfService = 'node.kubernetes.io/out-of-service:NoExecute';

const isTainted = async (node: string, taint: string): Promise<boolean> =>
  (await world.taints(node)).includes(taint);

describe('a node that lost its link', { concurrent: true, ...patient }, () => {
  test('stays Ready, keeps its pods and gets no new ones, until it is back', async () => {
    await world.addEdgeNode('held');
    await world.addPod('kept', 'held');
    await world.untilState('held', 'Connected');
    await until('tolerations', async () => (await world.toleratedSeconds('kept')) === 3_600);
    world.nodes.cut('held');
    const stock = world.stockActs();
    await world.untilState('held', 'Autonomous');
    await until('the taint', () => isTainted('held', autonomous));
    await stock;
    expect(world.readiness.get('held')).toEqual(neverGivenUp);
    expect((await world.pod('kept')).metadata.deletionTimestamp).toBeUndefined();
    await world.nodes.heal('held');
    await world.untilState('held', 'Connected');
    await until('no taint', async () => (await world.taints('held')).length === 0);
    expect(world.readiness.get('held')).toEqual(neverGivenUp);
  });

  test('is left to the stock life cycle where autonomy is off', async () => {
    await world.addEdgeNode('off', 'off');
    await world.addPod('stock', 'off');
    world.nodes.cut('off');
    await world.untilState('off', 'Expired');
    await until('the eviction', async () => (await world.podIfAny('stock')) === undefined);
    expect(await isTainted('off', unreachable)).toBe(true);
    expect((await world.edgeNode('off')).status?.reason).toBe('AutonomyOff');
    await world.nodes.heal('off');
    await world.untilState('off', 'Connected');
  });

  test('is left to it when its period is over, with the tolerations that its pods had', async () => {
    await world.addEdgeNode('over', '5s');
    await world.addPod('evicted', 'over');
    await until('tolerations', async () => (await world.toleratedSeconds('evicted')) === 5);
    world.nodes.cut('over');
    await world.untilState('over', 'Expired');
    await until('the own tolerations', async () => (await world.toleratedSeconds('evicted')) === ownSeconds);
    expect(world.readiness.get('over')).toEqual(neverGivenUp);
    await until('the eviction', async () => (await world.podIfAny('evicted')) === undefined);
    expect(world.readiness.get('over')).toEqual([...neverGivenUp, 'Unknown']);
    expect(await isTainted('over', autonomous)).toBe(false);
    await world.nodes.heal('over');
    await world.untilState('over', 'Connected');
  });

  test('is Vouched while a peer sees it, Dead when one saw it die, and fails over if its owners agree', async () => {
    const members = ['shop-a', 'shop-b', 'shop-c'];
    await Promise.all(members.map((name) => world.addEdgeNode(name)));
    await world.addUnit('shop', members);
    const before = await world.addStatefulSet('db', 'shop-b');
    for (const name of members) await world.untilState(name, 'Connected');
    world.nodes.cut('shop-b');
    await until('Vouched', async () => {
      await running.say('shop-a', 'shop-b', true);
      return (await world.state('shop-b')) === 'Vouched';
    });
    await until('Dead', async () => {
      await running.say('shop-a', 'shop-b', false);
      return (await world.state('shop-b')) === 'Dead';
    });
    expect((await world.edgeNode('shop-b')).status?.witnesses).toMatchObject([
      { node: 'shop-a', alive: false },
    ]);
    await until('an Event', async () => {
      const { items } = await world.admin.list(resources.events, { namespace: 'default', signal });
      return items.some(
        ({ reason, message = '' }) =>
          reason === 'FailoverWithheld' && /StatefulSet default\/db/.test(message),
      );
    });
    expect(await isTainted('shop-b', outOfService)).toBe(false);
    await world.admin.patch(
      resources.statefulSets,
      { namespace: 'default', name: 'db' },
      { patch: mergePatch({ metadata: { annotations: { 'selvedge.io/failover': 'true' } } }), signal },
    );
    const isReplaced = async (): Promise<boolean> => {
      const pod = await world.podIfAny('db-0');
      return pod !== undefined && pod.metadata.uid !== before.metadata.uid;
    };
    // The stock pod GC looks every 20 seconds, at nodes that are not Ready any more.
    await until('another pod', isReplaced, 200_000);
    await world.nodes.heal('shop-b');
    await world.untilState('shop-b', 'Connected');
    await until('no taint', async () => (await world.taints('shop-b')).length === 0);
  });

  test('decides nothing by what it may write', async () => {
    await world.addEdgeNode('liar');
    await world.addPod('clung-to', 'liar');
    await until('tolerations', async () => (await world.toleratedSeconds('clung-to')) === 3_600);
    const liar = await world.clientOf('liar');
    const status = { state: 'Dead', witnesses: [{ node: 'liar', at: '2026-01-01T00:00:00Z', alive: false }] };
    const fate = { patch: mergePatch({ status }), subresource: 'status', signal };
    await expect(liar.patch(edgeNodeResource, { name: 'liar' }, fate)).rejects.toMatchObject({
      code: 'Forbidden',
    });
    const policy = { patch: mergePatch({ spec: { autonomy: 'forever' } }), signal };
    await expect(liar.patch(edgeNodeResource, { name: 'liar' }, policy)).rejects.toMatchObject({
      code: 'Forbidden',
    });
    const pod = { namespace: 'default', name: 'clung-to' };
    const forged = {
      metadata: { annotations: { 'selvedge.io/original': 'mine' } },
      spec: { tolerations: [] },
    };
    // The API server takes annotations with a status, which is why none of them counts, and leaves the spec alone.
    await liar.patch(resources.pods, pod, { patch: mergePatch(forged), subresource: 'status', signal });
    expect((await world.pod('clung-to')).metadata.annotations).toMatchObject({
      'selvedge.io/original': 'mine',
    });
    expect(await world.toleratedSeconds('clung-to')).toBe(3_600);
    await expect(
      liar.patch(resources.pods, pod, { patch: mergePatch(forged), signal }),
    ).rejects.toMatchObject({
      code: 'Forbidden',
    });
    world.nodes.cut('liar');
    await world.untilState('liar', 'Autonomous');
    const taints = { patch: mergePatch({ spec: { taints: [] } }), signal };
    await until('the taint', () => isTainted('liar', autonomous));
    await expect(liar.patch(resources.nodes, { name: 'liar' }, taints)).rejects.toMatchObject({
      code: 'Forbidden',
    });
    const short = { patch: mergePatch({ spec: { autonomy: '1s' } }), signal };
    await world.admin.patch(edgeNodeResource, { name: 'liar' }, short);
    await world.untilState('liar', 'Expired');
    await until('the own tolerations', async () => (await world.toleratedSeconds('clung-to')) === ownSeconds);
    await world.nodes.heal('liar');
    await world.untilState('liar', 'Connected');
  });
});

test('while no cloud-manager runs no pod is evicted, and the next one puts Ready back', patient, async () => {
  await world.addEdgeNode('alone');
  await world.addPod('survivor', 'alone');
  await until('tolerations', async () => (await world.toleratedSeconds('survivor')) === 3_600);
  await world.untilState('alone', 'Connected');
  await running.stop();
  world.nodes.cut('alone');
  const stock = world.stockActs();
  const readyOf = async (): Promise<string | undefined> =>
    (await world.pod('survivor')).status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  await until('the taint', () => isTainted('alone', unreachable));
  await until('a pod that is not Ready', async () => (await readyOf()) === 'False');
  await stock;
  expect((await world.pod('survivor')).metadata.deletionTimestamp).toBeUndefined();
  running = await world.run();
  await until('no taint', async () => !(await isTainted('alone', unreachable)));
  await until('a pod that is Ready', async () => (await readyOf()) === 'True');
  await until('nodes that are Ready', () => world.allReady());
  expect(await world.state('alone')).toBe('Autonomous');
  expect((await world.pod('survivor')).metadata.deletionTimestamp).toBeUndefined();
});

test('the rights of the manifest are enough for all of this', () => {
  expect(running.metrics.render()).toMatch(/^selvedge_kube_requests_total\{method="PATCH",code="200"\}/m);
  expect(running.metrics.render()).not.toMatch(/^selvedge_kube_requests_total\{[^}]*code="403"/m);
});
