import { labels, managerNamespace } from '@selvedge/api';
import { mergePatch, resources } from '@selvedge/kube';
import type { TunnelAgent } from '@selvedge/tunnel/agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type EdgeNode,
  type ManagerWorld,
  type RunningManager,
  edgeNodeResource,
  signal,
  startManagerWorld,
  until,
} from './manager-world.ts';

let world: ManagerWorld;
let one: RunningManager;
let two: RunningManager;
/** A node that stays connected, and what its EdgeNode showed. */
let steady: { readonly agent: TunnelAgent; readonly edgeNode: EdgeNode } | undefined;

beforeAll(async () => {
  world = await startManagerWorld();
  [one, two] = await Promise.all([world.startManager('cloud-1'), world.startManager('cloud-2')]);
  await world.kubectl(['apply', '--server-side', '--filename=-'], { input: await world.printWebhook(one) });
});
afterAll(() => world[Symbol.asyncDispose]());

const sessionsOf = (edgeNode: EdgeNode | undefined): readonly string[] =>
  (edgeNode?.status?.sessions ?? []).map(({ server, state }) => `${server} ${state}`).toSorted();

const showsSessions = (name: string, sessions: readonly string[]): Promise<EdgeNode> =>
  until(`the sessions ${sessions.join(', ')} of ${name}`, async () => {
    const edgeNode = await world.edgeNode(name);
    const shown = JSON.stringify(sessionsOf(edgeNode)) === JSON.stringify(sessions);
    return shown && edgeNode?.status?.sessionCount === sessions.length && edgeNode;
  });

describe('the EdgeNode resource', () => {
  const session = {
    server: 'a',
    id: '1',
    direction: 'reverse',
    state: 'live',
    carrier: 'tls',
    since: '2026-01-01T00:00:00Z',
    version: 1,
    remote: '203.0.113.7:50412',
  };
  const writeStatus = async (sessions: readonly object[]): Promise<unknown> => {
    const patch = JSON.stringify({ status: { sessions } });
    const args = ['patch', 'edgenode', 'strict', '--subresource=status', '--type=merge', '--patch', patch];
    return world.kubectl(args).then(
      () => 'taken',
      (error: Error) => error.message,
    );
  };

  test('refuses what is not meant, and says why', async () => {
    await world.admin.create(edgeNodeResource, { metadata: { name: 'strict' } }, { signal });
    expect((await world.edgeNode('strict'))?.spec).toEqual({ banned: false });
    expect(await writeStatus([session])).toBe('taken');
    expect(await writeStatus([{ ...session, remote: '[2001:db8::7]:1' }])).toBe('taken');
    expect(await writeStatus([{ ...session, remote: 'somewhere' }])).toMatch(
      /must be an IP address and a port/,
    );
    expect(await writeStatus([{ ...session, server: 'Cloud_1' }])).toMatch(
      /must be a lower-case RFC 1123 name/,
    );
    expect(await writeStatus([{ ...session, carrier: 'pigeon' }])).toMatch(/Unsupported value: "pigeon"/);
    expect(await writeStatus([{ ...session, since: 'today' }])).toMatch(/date-time/);
    expect(await writeStatus([session, session])).toMatch(/Duplicate value/);
    const args = ['patch', 'edgenode', 'strict', '--type=merge', '--patch', '{"spec":{"banned":"yes"}}'];
    await expect(world.kubectl(args)).rejects.toThrow(/must be of type boolean/);
    await world.admin.delete(edgeNodeResource, { name: 'strict' }, { signal });
  });
});

describe('a node with a tunnel', () => {
  test('has an EdgeNode that shows its sessions with every server, and no others', async () => {
    const pair = await world.addNode('shop-1');
    const agent = await world.startAgent(pair, [one, two]);
    const edgeNode = await showsSessions('shop-1', ['cloud-1 live', 'cloud-2 live']);
    expect(edgeNode.status?.sessions?.[0]).toMatchObject({
      carrier: 'tls',
      version: 1,
      direction: 'reverse',
    });
    const wide = (await world.kubectl(['get', 'en', 'shop-1', '-o', 'wide'])).stdout;
    expect(wide).toMatch(/^shop-1 +false +2 +cloud-[12] +127\.0\.0\.1:\d+ +\S+$/m);
    const { stdout } = await world.kubectl(['get', 'edgenode', 'shop-1']);
    expect(stdout).toMatch(/^NAME +STATE +UNIT +BANNED +SESSIONS +AGE\nshop-1 +false +2 +\S+\n$/);
    steady = { agent, edgeNode };
  });

  test('has none before it has a Node', async () => {
    const pair = await world.cluster.controlPlane.issue({
      commonName: 'system:node:shop-early',
      organizations: ['system:nodes'],
    });
    const agent = await world.startAgent(pair, [one]);
    await until('a session', async () => agent.links[0]?.state.kind === 'up');
    expect(await world.edgeNode('shop-early')).toBeUndefined();
    await world.addNode('shop-early');
    await showsSessions('shop-early', ['cloud-1 live']);
    await agent.stop();
    await showsSessions('shop-early', []);
    await world.admin.delete(resources.nodes, { name: 'shop-early' }, { signal });
    await until(
      'the EdgeNode to go with its Node',
      async () => (await world.edgeNode('shop-early')) === undefined,
    );
  });

  test('is not somebody with a certificate of another kind', async () => {
    const pair = await world.cluster.controlPlane.issue({
      commonName: 'system:node:shop-1',
      organizations: ['dev'],
    });
    const agent = await world.startAgent(pair, [one]);
    await until('a refusal', async () => agent.links[0]?.state.kind === 'waiting');
    expect(one.lines.some(({ text }) => text === 'started')).toBe(true);
    expect(sessionsOf(await world.edgeNode('shop-1'))).toEqual(['cloud-1 live', 'cloud-2 live']);
    await agent.stop();
  });
});

/** Of a pod that nobody runs. */
const podSpec = { containers: [{ name: 'c', image: 'none' }] };

describe('a ban', () => {
  test('ends the sessions of the node at once, refuses new ones and what it writes, and nothing else', async () => {
    const [pair, other] = [await world.addNode('shop-2'), await world.addNode('shop-3')];
    const agents = [await world.startAgent(pair, [one, two]), await world.startAgent(other, [one])];
    await showsSessions('shop-2', ['cloud-1 live', 'cloud-2 live']);
    await showsSessions('shop-3', ['cloud-1 live']);
    const [node, neighbour] = [world.client(pair), world.client(other)];
    const writes = (client: typeof node, name: string) => async (): Promise<string> => {
      const lease = { metadata: { namespace: 'kube-node-lease', name }, spec: { holderIdentity: name } };
      return client.create(resources.leases, lease, { signal, dryRun: true }).then(
        () => 'taken',
        (error: Error) => error.message,
      );
    };
    expect(await writes(node, 'shop-2')()).toBe('taken');
    await world.ban('shop-2', true);
    await showsSessions('shop-2', []);
    expect(agents[0]?.links.map(({ state }) => state.kind)).not.toContain('up');
    await until('a refusal of what it writes', async () => (await writes(node, 'shop-2')()) !== 'taken');
    expect(await writes(node, 'shop-2')()).toMatch(/denied the request: node shop-2 is banned/);
    const patch = mergePatch({ metadata: { annotations: { a: 'b' } } });
    await expect(node.patch(resources.nodes, { name: 'shop-2' }, { patch, signal })).rejects.toThrow(
      /banned/,
    );
    await expect(node.delete(resources.nodes, { name: 'shop-2' }, { signal })).rejects.toMatchObject({
      code: 'Forbidden',
    });
    // It may still read, and the others are left alone.
    await node.get(resources.nodes, { name: 'shop-2' }, { signal });
    expect(await writes(neighbour, 'shop-3')()).toBe('taken');
    await showsSessions('shop-3', ['cloud-1 live']);
    await world.ban('shop-2', false);
    await showsSessions('shop-2', ['cloud-1 live', 'cloud-2 live']);
    await until('to be heard again', async () => (await writes(node, 'shop-2')()) === 'taken');
    await Promise.all(agents.map((agent) => agent.stop()));
  });

  test('refuses whatever else a node writes: subresources too', async () => {
    const pair = await world.addNode('shop-5');
    const node = world.client(pair);
    const pod = { namespace: 'default', name: 'of-shop-5' };
    // A node may ask for tokens of the audiences that its pods have.
    const token = { serviceAccountToken: { audience: 'till', path: 'token' } };
    const spec = {
      ...podSpec,
      nodeName: 'shop-5',
      serviceAccountName: 'till',
      volumes: [{ name: 'token', projected: { sources: [token] } }],
    };
    const { metadata } = await world.admin.create(resources.pods, { metadata: pod, spec }, { signal });
    const account = { namespace: 'default', name: 'till' };
    await world.admin.create(resources.serviceAccounts, { metadata: account }, { signal });
    await world.admin.create(edgeNodeResource, { metadata: { name: 'shop-5' } }, { signal });
    const dry = { dryRun: true, signal };
    const status = { subresource: 'status', patch: mergePatch({ status: {} }), ...dry };
    const writes: Readonly<Record<string, () => Promise<unknown>>> = {
      'nodes/status': () => node.patch(resources.nodes, { name: 'shop-5' }, status),
      'pods/status': () => node.patch(resources.pods, pod, status),
      pods: () => node.delete(resources.pods, pod, dry),
      'pods/eviction': () => {
        const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: pod };
        return node.createSubresource(resources.pods, { ...pod, subresource: 'eviction' }, { body, ...dry });
      },
      'serviceaccounts/token': () => {
        const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: metadata.uid };
        const body = {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          metadata: {},
          spec: { audiences: ['till'], boundObjectRef },
        };
        const at = { ...account, subresource: 'token' };
        return node.createSubresource(resources.serviceAccounts, at, { body, ...dry });
      },
    };
    // The Node authorizer learns of the pod by and by, and so does the manager of the ban.
    for (const [what, write] of Object.entries(writes)) {
      await until(`${what} to be taken`, () => write().then(() => true));
    }
    await world.ban('shop-5', true);
    for (const [what, write] of Object.entries(writes)) {
      await until(`${what} to be refused`, async () => {
        const error = await write().catch((cause: unknown) => cause);
        return error instanceof Error && error.message.includes('node shop-5 is banned');
      });
    }
    await world.ban('shop-5', false);
    await world.admin.delete(resources.pods, pod, { gracePeriodSeconds: 0, signal });
  });

  test('outlives the Node, and cannot be deleted away', async () => {
    const pair = await world.addNode('shop-4');
    await world.admin.create(
      edgeNodeResource,
      { metadata: { name: 'shop-4' }, spec: { banned: true } },
      { signal },
    );
    await until('the deletion to be refused', async () => {
      const said = await world.kubectl(['delete', 'edgenode', 'shop-4', '--dry-run=server']).catch(String);
      return typeof said === 'string' && /set spec.banned to false before you delete it/.test(said);
    });
    await world.admin.delete(resources.nodes, { name: 'shop-4' }, { signal });
    const made = world.client(pair).create(resources.nodes, { metadata: { name: 'shop-4' } }, { signal });
    await expect(made).rejects.toThrow(/node shop-4 is banned/);
    expect((await world.edgeNode('shop-4'))?.spec?.banned).toBe(true);
    await world.ban('shop-4', false);
    await world.kubectl(['delete', 'edgenode', 'shop-4']);
  });
});

describe('the guard', () => {
  const pod = { namespace: 'default', name: 'guarded' };
  const byForce = { gracePeriodSeconds: 0, signal };
  /** As the leader writes it. */
  const judge = async (name: string, state: string): Promise<void> => {
    const options = { patch: mergePatch({ status: { state } }), subresource: 'status', signal };
    await world.admin.patch(edgeNodeResource, { name }, options);
  };
  const addPod = async (): Promise<void> => {
    const spec = { ...podSpec, nodeName: 'cut-off' };
    await world.admin.create(resources.pods, { metadata: pod, spec }, { signal });
  };

  test('keeps a node that is cut off, and its pods, from being deleted by a slip of the hand', async () => {
    const node = world.client(await world.addNode('cut-off'));
    await world.admin.create(edgeNodeResource, { metadata: { name: 'cut-off' } }, { signal });
    await addPod();
    await judge('cut-off', 'Autonomous');
    const refused = (): Promise<unknown> =>
      world.admin.delete(resources.pods, pod, { ...byForce, dryRun: true }).then(
        () => undefined,
        (error: Error) => error.message,
      );
    const message = await until('a refusal', refused);
    expect(message).toMatch(/the pod's node cut-off is Autonomous: .* kubectl annotate edgenode cut-off/);
    const collection = world.admin.deleteCollection(resources.pods, { namespace: 'default', ...byForce });
    await expect(collection).rejects.toThrow(/cut-off is Autonomous/);
    const at = { name: 'cut-off' };
    await expect(world.admin.delete(resources.nodes, at, { signal })).rejects.toThrow(
      /cut-off is Autonomous/,
    );
    // What asks the kubelet, and what the kubelet itself does, is no slip.
    await world.admin.delete(resources.pods, pod, { signal });
    await node.delete(resources.pods, pod, byForce);
    await addPod();
    await world.kubectl(['annotate', 'edgenode', 'cut-off', 'selvedge.io/allow-deletion=true']);
    await until('the permission', async () => (await refused()) === undefined);
    await world.admin.delete(resources.pods, pod, byForce);
    await world.admin.delete(resources.nodes, at, { signal });
  });
});

test('an EdgeNode is written when something changes, and at no other time', async () => {
  const { resourceVersion } = steady?.edgeNode.metadata ?? {};
  expect((await world.edgeNode('shop-1'))?.metadata.resourceVersion).toBe(resourceVersion);
  await steady?.agent.stop();
  await showsSessions('shop-1', []);
});

test('the rights of the manifest are enough for all of this', async () => {
  const admin = await world.cluster.controlPlane.issue({
    commonName: 'root',
    organizations: ['system:masters'],
  });
  for (const manager of [one, two]) {
    const { status, body } = await manager.get('/metrics', admin);
    expect(status).toBe(200);
    expect(body).toMatch(/^selvedge_kube_requests_total\{method="PATCH",code="200"\}/m);
    expect(body).not.toMatch(/^selvedge_kube_requests_total\{[^}]*code="403"/m);
    expect(manager.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }
});

test.each([
  ['update', undefined, false],
  ['patch', undefined, false],
  ['deletecollection', undefined, false],
  ['patch', 'status', true],
])(
  'they allow %s of EdgeNodes (subresource %s): %s, so that people alone lift a ban',
  async (verb, subresource, is) => {
    const user = `system:serviceaccount:${managerNamespace}:cloud-manager`;
    const resourceAttributes = { group: 'selvedge.io', resource: 'edgenodes', subresource, verb };
    const review = { metadata: {}, spec: { user, resourceAttributes } };
    const { status } = await world.admin.create(resources.subjectAccessReviews, review, { signal });
    expect(status?.allowed).toBe(is);
  },
);

test('a lite node is marked as one at an edge, and cannot take that back with what it said of itself', async () => {
  const name = 'gateway';
  const node = world.client(await world.addNode(name));
  const says = (own: Readonly<Record<string, string | null>>): Promise<unknown> =>
    node.patch(resources.nodes, { name }, { patch: mergePatch({ metadata: { labels: own } }), signal });
  const marked = async (): Promise<boolean> => {
    const { metadata } = await world.admin.get(resources.nodes, { name }, { signal });
    return metadata.labels?.[labels.nodeEdge] === 'true';
  };
  expect(await marked()).toBe(false);
  await says({ [labels.nodeVersion]: '1.0.0' });
  await until('the mark', marked);
  await says({ [labels.nodeVersion]: null });
  await expect(says({ [labels.nodeEdge]: null })).rejects.toMatchObject({ code: 'Forbidden' });
  expect(await marked()).toBe(true);
});
