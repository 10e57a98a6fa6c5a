import { describe, expect, it } from 'vitest';
import { type ClusterNode, clusterNodeOf } from './cluster-node.ts';
import { parseNodeNames, selectNodes } from './select.ts';

const node = (name: string, labels: Record<string, string> = {}): ClusterNode => ({
  name,
  uid: name,
  labels,
  addresses: ['10.0.0.1'],
  role: 'worker',
  os: 'linux',
  isLite: false,
  isReady: true,
});
const nodes = [node('a', { shop: '7' }), node('b', { shop: '7', tier: 'cloud' }), node('c')];
const namesOf = (all: readonly ClusterNode[]): readonly string[] => all.map(({ name }) => name);

describe('nodes', () => {
  it('are chosen by name, in the order in which they were named', () => {
    expect(namesOf(selectNodes({ nodes: parseNodeNames('c, a') }, nodes))).toEqual(['c', 'a']);
  });

  it('are reached where the person says', () => {
    const [first] = selectNodes({ nodes: parseNodeNames('a=shop.example.com') }, nodes);
    expect(first?.addresses).toEqual(['shop.example.com']);
  });

  it('are chosen by label', () => {
    expect(namesOf(selectNodes({ selector: 'shop=7,tier!=cloud' }, nodes))).toEqual(['a']);
  });

  it.each([
    [{}, 'Invalid', /no nodes chosen/],
    [{ nodes: [{ name: 'a' }], selector: 'shop=7' }, 'Invalid', /cannot be combined/],
    [{ nodes: [{ name: 'a' }, { name: 'x' }, { name: 'y' }] }, 'NotFound', /node x, y not found/],
  ])('%o are refused', (choice, code, message) => {
    const error = expect.objectContaining({ code, message: expect.stringMatching(message) });
    expect(() => selectNodes(choice, nodes)).toThrow(error);
  });

  it.each(['', 'a,', 'a=', '=x', 'a b', 'a,b,a'])('are not read from "%s"', (text) => {
    expect(() => parseNodeNames(text)).toThrow(expect.objectContaining({ code: 'Invalid' }));
  });
});

describe('a Node', () => {
  it('is of a control plane by either label, of a unit by the one that no node may write', () => {
    const of = (labels: Record<string, string>): ClusterNode =>
      clusterNodeOf({ metadata: { name: 'n', labels } });
    expect(of({ 'node-role.kubernetes.io/master': '' }).role).toBe('control-plane');
    expect(of({ 'node-role.kubernetes.io/control-plane': 'true' }).role).toBe('control-plane');
    expect(of({ 'selvedge.node-restriction.kubernetes.io/unit': 'shop-7' })).toMatchObject({
      role: 'worker',
      unit: 'shop-7',
    });
    expect(of({ 'node.selvedge.io/version': '1.0.0' }).isLite).toBe(true);
  });

  it('is reached at its inner address before others', () => {
    const addresses = [
      { type: 'Hostname', address: 'n' },
      { type: 'ExternalIP', address: '203.0.113.1' },
      { type: 'InternalIP', address: '10.0.0.1' },
    ];
    expect(clusterNodeOf({ metadata: { name: 'n' }, status: { addresses } }).addresses).toEqual([
      '10.0.0.1',
      '203.0.113.1',
      'n',
    ]);
  });
});
