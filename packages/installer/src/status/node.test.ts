import type { Node } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';
import type { EdgeNodeObject } from '../edge-objects.ts';
import { describeStatus } from './describe.ts';
import type { MachineLook } from './machine.ts';
import { type NodeSources, nodeStatusOf } from './node.ts';
import type { JournalStatus } from './types.ts';

const node = { name: 'shop-1', unit: 'shop', isLite: false, isReady: true };
const object: Node = { metadata: { name: 'shop-1' }, status: {} };
const condition = {
  type: 'selvedge.io/CloudReachable',
  status: 'True',
  lastTransitionTime: '2026-11-22T04:00:00Z',
  message: 'since then',
};
const withHub: Node = { ...object, status: { conditions: [condition] } };
const session = {
  server: 'a',
  id: '1',
  carrier: 'tls',
  direction: 'reverse',
  state: 'live',
  since: '2026-11-22T04:00:00Z',
  version: 1,
  remote: '203.0.113.7:50412',
} as const;
const edgeNode: EdgeNodeObject = {
  metadata: { name: 'shop-1' },
  spec: { banned: true },
  status: {
    state: 'Vouched',
    sessions: [
      session,
      { ...session, id: '2', direction: 'forward' },
      { ...session, id: '3', state: 'draining' },
    ],
  },
};

const machine = (state: JournalStatus['state'], converted?: boolean): MachineLook => ({
  status: { kind: 'seen', layout: 'kubeadm', edgeLite: 'active', journal: { state, what: 'run 7f3c' } },
  converted,
  version: '0.1.0',
});
const closed: MachineLook = { status: { kind: 'closed', why: 'no key fits' } };

const rows: readonly (readonly [kind: string, why: string, sources: Omit<NodeSources, 'node'>])[] = [
  ['stock', 'the API server knows of no hub', { object }],
  ['converted', 'a hub says so at the API server', { object: withHub }],
  ['converted', 'its machine says so', { object, machine: machine('done', true) }],
  [
    'stock',
    'its machine says so, whatever is left at the API server',
    { object: withHub, machine: machine('undone', false) },
  ],
  ['half-done', 'a run was begun', { object: withHub, machine: machine('begun', true) }],
  ['damaged', 'its journal cannot be believed', { object, machine: machine('damaged', false) }],
  [
    'converted',
    'its machine cannot be entered, and the API server says so',
    { object: withHub, machine: closed },
  ],
  ['unknown', 'nobody said anything', { machine: closed }],
  ['converted', 'its machine says so while the API server is away', { machine: machine('done', true) }],
];

describe('a node', () => {
  it.each(rows)('is %s: %s', (kind, _why, sources) => {
    expect(nodeStatusOf({ node, ...sources }).kind).toBe(kind);
  });

  it('is lite by its label, unless a run was begun', () => {
    const lite = { ...node, isLite: true };
    expect(nodeStatusOf({ node: lite, object }).kind).toBe('lite');
    expect(nodeStatusOf({ node: lite, object, machine: machine('begun') }).kind).toBe('half-done');
  });

  it('has the sessions by which the cloud reaches it, and what the cloud takes it for', () => {
    const status = nodeStatusOf({ node, object: withHub, edgeNode });
    expect(status).toMatchObject({ sessions: 1, banned: true, state: 'Vouched', unit: 'shop', ready: true });
    expect(status.hub).toEqual({ reachesCloud: true, since: '2026-11-22T04:00:00Z', message: 'since then' });
  });

  it('of which nobody could ask the API server is not said to be NotReady', () => {
    const status = nodeStatusOf({ node, edgeNode: 'unread', machine: closed });
    const result = {
      server: 's:6443',
      away: 'refused',
      cloud: { kind: 'none' },
      units: [],
      nodes: [status],
      unread: [],
    } as const;
    expect(describeStatus(result)).toBe(
      'cannot query s:6443: refused\nnode shop-1: unknown, readiness unknown, unit shop, tunnel sessions: unknown\n  cannot reach or log in to the machine: no key fits',
    );
  });

  it('of which the EdgeNode may not be read is not said to be let in, nor to have no sessions', () => {
    const status = nodeStatusOf({ node, object: withHub, edgeNode: 'unread' });
    expect(status).toMatchObject({ kind: 'converted', ready: true });
    expect([status.state, status.banned, status.sessions]).toEqual([undefined, undefined, undefined]);
    const result = { server: '', cloud: { kind: 'none' }, units: [], nodes: [status], unread: [] } as const;
    expect(describeStatus(result)).toMatch(/tunnel sessions: unknown/);
  });
});
