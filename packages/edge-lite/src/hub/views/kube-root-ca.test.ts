import type { ConfigMap } from '@selvedge/kube/types';
import { expect, test } from 'vitest';
import { createKubeRootCaView } from './kube-root-ca.ts';

const named = (name: string, data: ConfigMap['data']): ConfigMap => ({
  metadata: { namespace: 'shop', name },
  data,
});
const of = (text: string): ConfigMap => named('kube-root-ca.crt', { 'ca.crt': text, other: 'x' });

function world(caBundle: string) {
  let tell = (): void => undefined;
  const pki = {
    caBundle,
    onChange(changed: () => void) {
      tell = changed;
      return { [Symbol.dispose]: () => undefined };
    },
  };
  return {
    pki,
    view: createKubeRootCaView({ pki }),
    rotate: (to: string): void => {
      pki.caBundle = to;
      tell();
    },
  };
}

test.each([
  ['CLUSTER\n', 'CLUSTER\nHUB\n'],
  ['CLUSTER', 'CLUSTER\nHUB\n'],
])('%j becomes %j, once', (before, after) => {
  const { view } = world('HUB\n');
  const shown = view.apply('v1/configmaps', of(before));
  expect(shown).toEqual(of(after));
  expect(view.apply('v1/configmaps', shown)).toBe(shown);
});

test.each([
  ['of another name', named('app', { 'ca.crt': 'CLUSTER' })],
  ['without an authority', named('kube-root-ca.crt', { app: 'x' })],
  ['without anything', named('kube-root-ca.crt', undefined)],
])('a ConfigMap %s stays', (_, configMap) => {
  expect(world('HUB\n').view.apply('v1/configmaps', configMap)).toBe(configMap);
});

test('without an authority of the hub all stay', () => {
  const before = of('CLUSTER\n');
  expect(world('').view.apply('v1/configmaps', before)).toBe(before);
});

test('a rotation shows all of them anew', () => {
  const { view, rotate } = world('OLD\n');
  const told: unknown[] = [];
  view.onChange?.((...change) => told.push(change));
  rotate('NEW\nOLD\n');
  expect(told).toEqual([['v1/configmaps', undefined]]);
  expect(view.apply('v1/configmaps', of('CLUSTER\n'))).toEqual(of('CLUSTER\nNEW\nOLD\n'));
});
