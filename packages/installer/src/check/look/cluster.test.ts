import { expect, it } from 'vitest';
import { caughtAddresses } from './cluster.ts';

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
