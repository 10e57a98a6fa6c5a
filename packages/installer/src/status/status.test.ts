import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { KubeClient } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import type { Progress } from '../command/index.ts';
import { status } from './status.ts';
import type { StatusResult } from './types.ts';

const progress: Progress = { task: (_title, work) => work(progress), note: () => undefined };
const node = {
  metadata: { name: 'shop-1' },
  status: { conditions: [{ type: 'selvedge.io/CloudReachable', status: 'True' }] },
};

const { signal } = new AbortController();
const context = {
  clock: createManualClock(),
  random: () => 0.5,
  version: '0.0.0',
  signal,
  progress,
  agree: () => Promise.resolve(false),
};

/** Of a cluster with one node, for who may list these and get nothing. */
function statusFor(listable: readonly string[]): Promise<StatusResult> {
  const forbidden = new SelvedgeError('User "guest" cannot', { code: 'Forbidden' });
  const cluster = {
    server: 'api:6443',
    get: () => Promise.reject(forbidden),
    listAll: async ({ plural }: { readonly plural: string }) => {
      if (!listable.includes(plural)) throw forbidden;
      return { items: plural === 'nodes' ? [node] : [] };
    },
  } as unknown as KubeClient;
  return status({}, { ...context, cluster });
}

describe('the status for who may read little', () => {
  it('has what he may read, and of all else that it is unknown', async () => {
    const result = await statusFor(['nodes']);
    expect(result).toMatchObject({ cloud: { kind: 'unknown' }, units: [], nodes: [{ name: 'shop-1' }] });
    expect(result.nodes[0]).not.toHaveProperty('sessions');
    expect(result.unread.map(({ right: { verb, resource } }) => `${verb} ${resource}`)).toEqual(
      expect.arrayContaining(['list edgenodes', 'list edgeunits', 'get configmaps', 'get deployments']),
    );
  });

  it('knows what EdgeNodes say where they may be read', async () => {
    const { nodes } = await statusFor(['nodes', 'edgenodes']);
    expect(nodes[0]).toMatchObject({ banned: false, sessions: 0 });
  });

  it('is refused without the right to list nodes, which is named', async () => {
    await expect(statusFor([])).rejects.toMatchObject({
      code: 'Forbidden',
      message: 'cannot show the state of nodes: you are not allowed to list nodes',
      hint: expect.stringContaining('kubectl auth can-i list nodes'),
    });
  });
});

it('of machines whose API server is away has nothing that only the API server knows', async () => {
  const away = (): Promise<never> =>
    Promise.reject(new SelvedgeError('nobody answers', { code: 'Unavailable' }));
  const cluster = { server: 'api:6443', get: away, listAll: away } as unknown as KubeClient;
  const choice = { nodes: [{ name: 'shop-1', address: '192.0.2.7' }] };
  const result = await status({ choice }, { ...context, cluster, hosts: { open: away } });
  expect(result).toMatchObject({ away: 'nobody answers', nodes: [{ machine: { kind: 'closed' } }] });
  expect([result.nodes[0]?.banned, result.nodes[0]?.sessions]).toEqual([undefined, undefined]);
});
