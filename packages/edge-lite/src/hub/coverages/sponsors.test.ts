import { describe, expect, it } from 'vitest';
import type { Caller } from '../request.ts';
import { sponsorKey, sponsorOf, sponsorOrder } from './sponsors.ts';
import type { Sponsor } from './types.ts';

const node: Sponsor = { kind: 'node' };
const till: Sponsor = { kind: 'pod', namespace: 'shop', serviceAccount: 'till' };
const dns: Sponsor = { kind: 'pod', namespace: 'kube-system', serviceAccount: 'coredns' };
const proxy: Sponsor = { kind: 'configured', client: 'kube-proxy' };

const user = (username: string) => ({ username, groups: [] });
const token = (username: string): Caller => ({
  kind: 'token',
  user: user(username),
  token: 't',
  pod: undefined,
});

describe('the sponsor that acts as a caller', () => {
  it.each<[string, Caller, Sponsor | undefined]>([
    ['the node', { kind: 'node', user: user('system:node:shop-7') }, node],
    ['a service account', token('system:serviceaccount:shop:till'), till],
    ['another token', token('alice'), undefined],
    [
      'a configured client',
      { kind: 'configured', user: user('system:kube-proxy'), client: 'kube-proxy' },
      proxy,
    ],
    ['an operator', { kind: 'operator', user: user('admin') }, undefined],
  ])('of %s', (_who, caller, sponsor) => {
    expect(sponsorOf(caller)).toEqual(sponsor);
  });
});

describe('the order of sponsors', () => {
  it.each<[string, readonly Sponsor[], Sponsor | undefined, readonly string[]]>([
    ['begins with the node', [], undefined, ['node']],
    [
      'puts tokens of pods before configured clients',
      [proxy, till, dns],
      undefined,
      ['node', 'pod shop/till', 'pod kube-system/coredns', 'client kube-proxy'],
    ],
    ['keeps to the one that runs it', [proxy, till], proxy, ['client kube-proxy', 'node', 'pod shop/till']],
    ['has each once', [till, till, node], till, ['pod shop/till', 'node']],
  ])('%s', (_what, known, running, order) => {
    expect(sponsorOrder(known, running).map(sponsorKey)).toEqual(order);
  });
});
