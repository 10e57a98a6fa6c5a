import { fc, test as property } from '@fast-check/vitest';
import { plainHost } from '@selvedge/kit/net';
import { describe, expect, test } from 'vitest';
import { type NodeFacts, rule } from './allow-list.ts';
import { type Rule, parseRule } from './rule.ts';

const pods = ['10.244.3.7', '2001:db8::7'];
const node: NodeFacts = {
  name: 'shop-7',
  addresses: ['192.168.50.11', 'shop-7.lan', '203.0.113.20'],
  machineAddresses: ['127.0.0.1', '192.168.50.11', '169.254.77.1', 'fd00::11', '10.244.3.1'],
  kubelet: { host: '192.168.50.11', port: 10_250 },
  isPod: (address) => pods.includes(address),
};

function rulesOf(...texts: readonly string[]): Rule[] {
  return texts.map((text) => {
    const parsed = parseRule(text);
    if (parsed === undefined) throw new TypeError(`${text} is no rule`);
    return parsed;
  });
}

const decide = (host: string, port: number, ...allow: readonly string[]): unknown =>
  rule({ host, port }, rulesOf(...allow), node);

describe('the kubelet', () => {
  test.each([
    'shop-7',
    'SHOP-7',
    'shop-7.lan',
    'localhost',
    '192.168.50.11',
    '203.0.113.20',
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '::ffff:192.168.50.11',
    'FD00:0::0011',
  ])('is reached as %s, and dialled where it is', (host) => {
    expect(decide(host, 10_250)).toEqual({ kind: 'allowed', connect: node.kubelet, by: 'kubelet' });
  });

  test('is one port of the node, not the node', () => {
    expect(decide('shop-7', 22)).toEqual({
      kind: 'refused',
      reason: "of node shop-7 only port 10250, the kubelet's, is allowed",
    });
  });
});

describe('a pod', () => {
  test('is reached at any port', () => {
    expect(decide('10.244.3.7', 8_080)).toEqual({
      kind: 'allowed',
      connect: { host: '10.244.3.7', port: 8_080 },
      by: 'pod',
    });
    expect(decide('2001:DB8:0::7', 80)).toMatchObject({ connect: { host: '2001:db8::7' } });
  });

  test('of another node is refused with the reason', () => {
    expect(decide('10.244.9.9', 8_080)).toEqual({
      kind: 'refused',
      reason: '10.244.9.9:8080 is no pod of node shop-7, and its config does not allow it',
    });
  });

  property.prop([
    fc.constantFrom(...node.machineAddresses, '0.0.0.0', '::', '::ffff:127.0.0.1'),
    fc.nat(65_534),
  ])('that claims an address of the machine opens nothing of it', (host, below) => {
    const port = below + 1;
    const lying = { ...node, isPod: () => true };
    const ruling = rule({ host, port }, [], lying);
    expect(ruling.kind).toBe(port === node.kubelet.port ? 'allowed' : 'refused');
  });
});

describe('what the config allows', () => {
  test.each([
    ['plc.shop:502', 'plc.shop', 502],
    ['PLC.shop:502', 'plc.SHOP', 502],
    ['192.168.50.30:80', '192.168.50.30', 80],
    ['192.168.7.0/24:8000-8999', '192.168.7.200', 8_443],
    ['[2001:db8:7::/48]:443', '2001:db8:7:0:1::9', 443],
    ['[2001:db8::1]:443', '2001:0db8::0001', 443],
    ['127.0.0.1:9100', '127.0.0.1', 9_100],
    ['10.0.0.0/8:443', '::ffff:10.2.3.4', 443],
  ])('%s allows %s port %i', (text, host, port) => {
    expect(decide(host, port, text)).toMatchObject({ kind: 'allowed', by: 'config' });
  });

  test.each([
    ['plc.shop:502', 'plc.shop', 503],
    ['plc.shop:502', 'other.plc.shop', 502],
    ['192.168.7.0/24:8000-8999', '192.168.8.1', 8_443],
    ['192.168.7.0/24:8000-8999', '192.168.7.1', 9_000],
    ['0.0.0.0/0:443', 'plc.shop', 443],
    ['0.0.0.0/0:443', '2001:db8::1', 443],
    ['[::/0]:443', '192.0.2.1', 443],
  ])('%s does not allow %s port %i', (text, host, port) => {
    expect(decide(host, port, text)).toMatchObject({ kind: 'refused' });
  });

  test.each([
    '',
    'host',
    'host:',
    'host:0',
    'host:65536',
    'host:9-8',
    'host:80-',
    '1.2.3.4/33:80',
    '1.2.3/8:80',
    '1.2.3.4/8/9:80',
    '2001:db8::1:80',
    '[1.2.3.4]:80',
    '[2001:db8::/129]:80',
    '[plc]:80',
    'a b:80',
    'host/8:80',
    '[]:80',
  ])('%j is no rule', (text) => {
    expect(parseRule(text)).toBeUndefined();
  });
});

const host = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.domain(),
  fc.constantFrom(...pods, ...node.addresses, ...node.machineAddresses, '10.244.3.8'),
);
const port = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(10_250, 80, 443));

property.prop([host, port])('nothing is dialled but the kubelet and pods without a rule', (asked, at) => {
  const ruling = rule({ host: asked, port: at }, [], node);
  if (ruling.kind === 'refused') expect(ruling.reason).toContain('shop-7');
  else if (ruling.by === 'kubelet') expect(ruling.connect).toEqual(node.kubelet);
  else {
    expect(ruling.by).toBe('pod');
    expect(ruling.connect).toEqual({ host: plainHost(asked), port: at });
    expect(pods).toContain(ruling.connect.host);
  }
});

property.prop([fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4(), port])(
  'a network holds those addresses whose first bits are its own',
  (network, bits, asked, at) => {
    const number = (text: string): bigint =>
      text.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
    const shift = BigInt(32 - bits);
    const within = number(network) >> shift === number(asked) >> shift;
    expect(parseRule(`${network}/${bits}:${at}`)?.matches({ host: asked, port: at })).toBe(within);
  },
);

property.prop([fc.string()])('no text makes the parser throw', (text) => {
  expect(() => parseRule(text)?.matches({ host: '10.0.0.1', port: 1 })).not.toThrow();
});
