import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../request.ts';
import { type AccessWorld, createAccessWorld } from './testing.ts';
import { type ClientAuthority, type ClientRequest, createClientAuthority } from './testing-certificates.ts';
import type { Attributes } from './types.ts';

const signal = new AbortController().signal;
const hourMs = 3_600_000;

let authority: ClientAuthority;
let world: AccessWorld;
beforeAll(async () => {
  authority = await createClientAuthority('cluster');
});
beforeEach(async () => {
  world = await createAccessWorld();
  world.authorities = authority.pem;
});
afterEach(() => world[Symbol.asyncDispose]());

const present = (certificate: Uint8Array, bearerToken?: string): Promise<Caller> =>
  world.access.authenticate({ certificate, bearerToken, remoteAddress: '127.0.0.1' }, signal);
const issue = (request: ClientRequest): Promise<Uint8Array> => authority.issue(request);
const node = { names: ['system:node:edge'], organizations: ['system:nodes'] };
const operator = { names: ['jo'], organizations: ['dev', 'system:masters'] };

describe('a certificate', () => {
  test("of this node's kubelet is the node", async () => {
    const { kind, user } = await present(await issue(node));
    expect(kind).toBe('node');
    expect(user.username).toBe('system:node:edge');
    expect(user.groups).toEqual(['system:nodes', 'system:authenticated']);
    expect(user.extra).toEqual({
      'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)],
    });
  });

  test('of a configured client goes by its own credentials', async () => {
    const caller = await present(await issue({ names: ['system:kube-proxy'], organizations: ['x'] }));
    expect(caller).toMatchObject({ kind: 'configured', client: 'system:kube-proxy' });
  });

  test('of an operator is an operator, his groups as they are written', async () => {
    const organizations = ['a, O=system:nodes+CN=x', 'Größe #1', 'system:masters'];
    const { kind, user } = await present(await issue({ names: ['jo\nCN=root'], organizations }));
    expect(kind).toBe('operator');
    expect(user.username).toBe('jo\nCN=root');
    expect(user.groups).toEqual([...organizations, 'system:authenticated']);
  });

  test('comes before a token, as with the API server', async () => {
    expect((await present(await issue(node), 'x')).kind).toBe('node');
  });

  test('that is not valid leaves it to the token, as with the API server', async () => {
    const notAfter = new Date(world.clock.now() - hourMs);
    const pod = { namespace: 'shop', name: 'till', uid: 'till-uid' };
    const caller = await present(await issue({ ...node, notAfter }), world.api.token(pod));
    expect(caller).toMatchObject({ kind: 'token', pod });
  });

  test("of this node's kubelet that ends in a cut counts until the cloud is back", async () => {
    const certificate = await issue({ ...node, notAfter: new Date(world.clock.now() + hourMs) });
    await present(certificate);
    world.api.go('offline');
    await world.clock.advance(1_000 * hourMs);
    await world.restart();
    expect((await present(certificate)).kind).toBe('node');
    world.authorities = (await createClientAuthority('next')).pem;
    await expect(present(certificate)).rejects.toThrow("not signed by the cluster's CA");
    world.authorities = authority.pem;
    world.api.go('online');
    await expect(present(certificate)).rejects.toThrow('has expired');
  });

  test.each([
    ['never set', 0],
    ['set back to the last shutdown', Date.UTC(2026, 0, 1, 5)],
  ])('of the future counts while the clock was %s', async (_how, nowMs) => {
    await world.clock.advance(10 * hourMs);
    const certificate = await issue({ ...node, notBefore: new Date(world.clock.now() - hourMs) });
    await present(certificate);
    world.api.go('offline');
    world.clock.setNow(nowMs);
    await world.restart();
    expect((await present(certificate)).kind).toBe('node');
    world.clock.setNow(Date.UTC(2026, 5, 1));
    const later = await issue({ ...node, notBefore: new Date(world.clock.now() + hourMs) });
    await expect(present(later)).rejects.toThrow('is not valid yet');
  });

  test.each([
    ['of another node', { ...node, names: ['system:node:other'] }, /certificate of system:node:edge/],
    ['of a node that is in no group of nodes', { names: node.names }, /certificate of system:node:edge/],
    ['of a stranger', { names: ['stranger'], organizations: ['dev'] }, /modules\.hub\.clients/],
  ])('%s is forbidden, and told what to configure', async (_whose, request, hint) => {
    const refusal = { code: 'Forbidden', hint: expect.stringMatching(hint) };
    await expect(present(await issue(request))).rejects.toMatchObject(refusal);
  });
});

describe('attacks', () => {
  const refused = async (certificate: Uint8Array, why: string): Promise<void> => {
    const message = `the client certificate ${why}`;
    await expect(present(certificate)).rejects.toMatchObject({ code: 'Unauthenticated', message });
  };

  test('a certificate of a foreign CA, of the same name too', async () => {
    for (const name of ['foreign', 'cluster']) {
      const foreign = await createClientAuthority(name);
      await refused(await foreign.issue(node), "is not signed by the cluster's CA");
    }
  });

  test('an expired certificate, also one that was good on the same connection', async () => {
    const notAfter = new Date(world.clock.now() + hourMs);
    const certificate = await issue({ ...node, notAfter });
    expect((await present(certificate)).kind).toBe('node');
    await world.clock.advance(hourMs);
    await refused(certificate, 'has expired');
  });

  test('one that is not valid yet', async () => {
    const notBefore = new Date(world.clock.now() + hourMs);
    await refused(await issue({ ...node, notBefore }), 'is not valid yet');
  });

  test('an expired one, offline, of whom it is not: another client, or a kubelet that never came before', async () => {
    const notAfter = new Date(world.clock.now() + hourMs);
    const proxy = await issue({ names: ['system:kube-proxy'], notAfter });
    const unseen = await issue({ ...node, notAfter });
    await present(proxy);
    world.api.go('offline');
    await present(unseen);
    await world.clock.advance(hourMs);
    for (const certificate of [proxy, unseen]) await refused(certificate, 'has expired');
  });

  test("a kubelet's serving certificate", async () => {
    await refused(await issue({ ...node, usage: 'server' }), 'is not meant for clients');
    expect((await present(await issue({ ...node, usage: 'any' }))).kind).toBe('node');
  });

  test('one with two names or none', async () => {
    await refused(await issue({ ...node, names: ['jo', 'system:node:edge'] }), 'has no single common name');
    await refused(await issue({ ...node, names: [] }), 'has no single common name');
  });

  test('one of an authority that is not trusted any more', async () => {
    const certificate = await issue(node);
    expect((await present(certificate)).kind).toBe('node');
    world.authorities = (await createClientAuthority('next')).pem;
    await refused(certificate, "is not signed by the cluster's CA");
    world.authorities += authority.pem;
    expect((await present(certificate)).kind).toBe('node');
  });

  test('what is no certificate', async () => {
    await refused(Buffer.from('nonsense'), 'cannot be read');
  });

  test('nothing at all', async () => {
    for (const bearerToken of [undefined, '']) {
      const presented = { certificate: undefined, bearerToken, remoteAddress: '' };
      await expect(world.access.authenticate(presented, signal)).rejects.toMatchObject({
        code: 'Unauthenticated',
      });
    }
    expect(world.metrics()).toContain(
      'selvedge_access_authentications_total{method="none",outcome="refused"} 1',
    );
  });
});

test('nothing at all is no reason to give up while nobody can give out certificates', async () => {
  world.api.go('offline');
  const presented = { certificate: undefined, bearerToken: undefined, remoteAddress: '' };
  await expect(world.access.authenticate(presented, signal)).rejects.toMatchObject({ code: 'Unavailable' });
  const expired = await issue({ ...node, notAfter: new Date(world.clock.now() - hourMs) });
  await expect(present(expired)).rejects.toMatchObject({ code: 'Unauthenticated' });
});

describe('an operator', () => {
  const to = (verb: string): Attributes => ({
    kind: 'resource',
    verb,
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    subresource: '',
    namespace: 'shop',
    name: 'till',
    labelSelector: '',
    fieldSelector: '',
  });
  const decide = async (attributes: Attributes): Promise<boolean> => {
    const { user } = await present(await issue(operator));
    return (await world.access.authorize(user, attributes, signal)).allowed;
  };

  test('reads while the cloud is away, and is asked nothing', async () => {
    world.api.go('offline');
    for (const verb of ['get', 'list', 'watch']) expect(await decide(to(verb))).toBe(true);
    expect(await decide({ kind: 'nonResource', verb: 'get', path: '/metrics' })).toBe(true);
    expect(world.api.accessReviews).toEqual([]);
  });

  test.each(['create', 'update', 'patch', 'delete', 'deletecollection', 'impersonate'])(
    'does not %s',
    async (verb) => {
      world.api.go('offline');
      expect(await decide(to(verb))).toBe(false);
    },
  );

  test('is sent to the API server while it is in reach', async () => {
    const { user } = await present(await issue(operator));
    expect(await world.access.authorize(user, to('list'), signal)).toEqual({
      allowed: false,
      reason: 'operators read here only while the cloud is away: use the API server directly',
    });
  });

  test('is let go on watching until the cloud is back', async () => {
    world.api.go('offline');
    const { user } = await present(await issue(operator));
    const withdrawn: Attributes[] = [];
    world.access.onWithdrawn((_user, attributes) => withdrawn.push(attributes));
    await world.access.authorize(user, to('watch'), signal);
    const again = async (): Promise<boolean> =>
      (await world.access.reauthorize(user, to('watch'), signal)).allowed;
    expect(await again()).toBe(true);
    world.api.go('online');
    world.api.go('online');
    expect(withdrawn).toEqual([to('watch')]);
    expect(await again()).toBe(false);
  });

  test('with a token is a client like others', async () => {
    const user = { username: 'jo', groups: ['system:masters', 'system:authenticated'] };
    world.api.allowed.add('jo list deployments.apps shop');
    expect((await world.access.authorize(user, to('list'), signal)).allowed).toBe(true);
  });

  test('who is a configured client as well is that client', async () => {
    const caller = await present(
      await issue({ names: ['system:kube-proxy'], organizations: ['system:masters'] }),
    );
    world.api.allowed.add('system:kube-proxy list deployments.apps shop');
    expect(caller.kind).toBe('configured');
    expect((await world.access.authorize(caller.user, to('list'), signal)).allowed).toBe(true);
  });
});
