import { SelvedgeError } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import { createReading } from './reading.ts';
import { refuseUnread } from './words.ts';

const { signal } = new AbortController();
const answering = (answer: () => Promise<unknown>): Pick<KubeClient, 'get' | 'listAll'> =>
  ({ get: answer, listAll: answer }) as unknown as KubeClient;
const forbidden = new SelvedgeError('User "guest" cannot', { code: 'Forbidden' });
const notAsked = Promise.resolve();
const failing = (code: 'Forbidden' | 'NotFound' | 'Unavailable') =>
  createReading({
    cluster: answering(() => Promise.reject(new SelvedgeError('User "guest" cannot', { code }))),
    signal,
  });
const manager = { namespace: 'selvedge-system', name: 'cloud-manager' };

describe('reading', () => {
  it('gives what is there', async () => {
    const reading = createReading({ cluster: answering(async () => ({ items: [1, 2] })), signal });
    expect(await reading.list(resources.nodes)).toEqual({ kind: 'seen', value: [1, 2] });
    expect(await reading.get(resources.deployments, manager)).toMatchObject({ kind: 'seen' });
    expect(reading.unread).toEqual([]);
  });

  it('tells what is not there from what may not be read, which it remembers once', async () => {
    expect(await failing('NotFound').get(resources.deployments, manager)).toEqual({ kind: 'absent' });
    const reading = failing('Forbidden');
    const right = { group: 'apps', resource: 'deployments', verb: 'get', ...manager };
    const unread = { right, why: 'User "guest" cannot' };
    expect(await reading.get(resources.deployments, manager)).toEqual({ kind: 'unread', ...unread });
    await reading.get(resources.deployments, manager);
    await reading.list(resources.leases, { namespace: 'kube-node-lease' });
    await reading.list(resources.nodes);
    expect(reading.unread).toMatchObject([
      unread,
      { right: { group: 'coordination.k8s.io', verb: 'list', namespace: 'kube-node-lease' } },
      { right: { group: '', resource: 'nodes', verb: 'list' } },
    ]);
  });

  it('tells what may not be read in the order in which it was tried', async () => {
    const answers = [Promise.withResolvers<never>(), Promise.withResolvers<never>()] as const;
    const left = [...answers];
    const reading = createReading({ cluster: answering(() => left.shift()?.promise ?? notAsked), signal });
    const both = Promise.all([reading.list(resources.pods), reading.list(resources.nodes)]);
    answers[1].reject(forbidden);
    await expect.poll(() => reading.unread).toHaveLength(1);
    answers[0].reject(forbidden);
    await both;
    expect(reading.unread.map(({ right }) => right.resource)).toEqual(['pods', 'nodes']);
  });

  it('hides nothing else that goes wrong', async () => {
    const reading = failing('Unavailable');
    await expect(reading.list(resources.nodes)).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(reading.get(resources.nodes, { name: 'a' })).rejects.toMatchObject({ code: 'Unavailable' });
  });
});

describe('what cannot be done without a read', () => {
  const why = 'User "guest" cannot list resource "nodes"';
  const nodes = { right: { group: '', resource: 'nodes', verb: 'list' }, why };
  const right = { group: 'apps', resource: 'deployments', verb: 'get', ...manager };

  it('is refused with the right that is missing, for whom, and how to test it', () => {
    expect(() => refuseUnread('show nodes', [nodes])).toThrow(
      expect.objectContaining({
        code: 'Forbidden',
        message: 'cannot show nodes: you are not allowed to list nodes',
        hint: expect.stringContaining('(test it with kubectl auth can-i list nodes --all-namespaces)'),
        cause: expect.objectContaining({ message: why }),
        details: { findings: [why] },
      }),
    );
    expect(() => refuseUnread('show it', [{ right, why }])).toThrow(
      expect.objectContaining({
        hint: expect.stringContaining(
          'kubectl auth can-i get deployments.apps/cloud-manager --namespace selvedge-system)',
        ),
      }),
    );
  });

  it('is refused once for all of them', () => {
    expect(() => refuseUnread('do it', [nodes, { right, why }])).toThrow(
      'cannot do it: you are not allowed to list nodes, get deployments.apps/cloud-manager in selvedge-system',
    );
    expect(() => refuseUnread('do it', [])).not.toThrow();
  });
});
