import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import { expect, it } from 'vitest';
import { createReading } from '../../reading/index.ts';
import { caughtAddresses, proxyMode } from './cluster.ts';

it.each([
  ['said nothing of', [{ ip: '203.0.113.7' }], ['203.0.113.7']],
  [
    'of VIP',
    [
      { ip: '203.0.113.7', ipMode: 'VIP' },
      { ip: '2001:db8::7', ipMode: 'VIP' },
    ],
    ['203.0.113.7', '2001:db8::7'],
  ],
  ['of Proxy', [{ ip: '203.0.113.7', ipMode: 'Proxy' }], []],
  ['of a host name', [{ hostname: 'balancer.example.com' }], []],
  ['that has none yet', [], []],
])('kube-proxy catches addresses of a balancer %s', (_what, ingress, caught) => {
  expect(caughtAddresses({ status: { loadBalancer: { ingress } } })).toEqual(caught);
  expect(caughtAddresses({})).toEqual([]);
});

const absent = new SelvedgeError('not found', { code: 'NotFound' });
const forbidden = new SelvedgeError('no', { code: 'Forbidden' });
const there = { metadata: {} };
const config = { metadata: {}, data: { 'config.conf': 'mode: "ipvs"' } };

it.each([
  ['as its configuration says', { daemonsets: there, configmaps: config }, 'ipvs'],
  ['unknown where its configuration has another name', { daemonsets: there, configmaps: absent }, ''],
  ['unknown where it may not be read', { daemonsets: forbidden, configmaps: absent }, ''],
  ['none without its DaemonSet', { daemonsets: absent, configmaps: config }, undefined],
])('the mode of kube-proxy is %s', async (_what, objects: Readonly<Record<string, object>>, mode) => {
  const get = async <T extends KubeObject>({ plural }: { readonly plural: string }): Promise<T> => {
    const found = objects[plural];
    if (found instanceof SelvedgeError) throw found;
    return found as T;
  };
  const listAll = () => Promise.reject(absent);
  const { signal } = new AbortController();
  expect(await proxyMode(createReading({ cluster: { get, listAll }, signal }))).toBe(mode);
});
