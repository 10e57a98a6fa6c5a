import { labels } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import type { Node, Taint } from '@selvedge/kube/types';
import { describe, expect, test } from 'vitest';
import { desiredObjects } from './desired.ts';
import { refuseNowhere } from './placement.ts';
import type { CloudOptions } from './types.ts';

const options = {
  tunnelServers: [{ host: 'tunnel.example.com', port: 443 }],
  mode: 'deployment',
  dns: true,
} as const;
const program = (values: CloudOptions['values']): readonly KubeObject[] =>
  desiredObjects({ ...options, values }, []).program;
/** What the chart says itself. */
const chart = program({});

const node = (own: Readonly<Record<string, string>>, taints: readonly Taint[] = []): Node => ({
  metadata: { name: 'n1', labels: { 'kubernetes.io/os': 'linux', ...own } },
  spec: { taints },
});
const taint = (key: string, effect: string, value?: string): Taint =>
  value === undefined ? { key, effect } : { key, effect, value };
const role = 'node-role.kubernetes.io/control-plane';
function why(
  nodes: Node | readonly Node[],
  own = chart,
  becoming: readonly string[] = [],
): string | undefined {
  try {
    refuseNowhere(own, [nodes].flat(), becoming);
    return undefined;
  } catch (error) {
    return error instanceof SelvedgeError ? error.message.replace('no Node can run cloud-manager: ', '') : '';
  }
}

describe('cloud-manager as a Deployment', () => {
  test.each<[string, Node]>([
    ['a control plane of kubeadm', node({ [role]: '' }, [taint(role, 'NoSchedule')])],
    ['a server of k3s', node({ [role]: 'true' })],
    [
      'a server of RKE2 that is kept for it',
      node({ [role]: 'true' }, [
        taint('node-role.kubernetes.io/etcd', 'NoExecute', 'true'),
        taint('CriticalAddonsOnly', 'NoExecute', 'true'),
      ]),
    ],
    ['a worker in the cloud beside a hosted control plane', node({})],
    ['one that others rather leave alone', node({}, [taint('a', 'PreferNoSchedule')])],
  ])('runs on %s', (_what, one) => {
    expect(why(one)).toBeUndefined();
  });

  test.each<[string, Node, string]>([
    ['that was converted', node({ [labels.nodeEdge]: 'true' }), 'n1: it is an edge node'],
    ['of an EdgeUnit', node({ [labels.nodeUnit]: 'shop-1' }), 'n1: it is an edge node'],
    ['of edge-lite', node({ [labels.nodeVersion]: '1' }), 'n1: it is an edge node'],
    ['of Windows', node({ 'kubernetes.io/os': 'windows' }), 'n1: its labels do not match'],
    [
      'that is kept for others',
      node({}, [taint('gpu', 'NoSchedule')]),
      'n1: it has the taint gpu:NoSchedule',
    ],
    ['that is away', node({}, [taint('node.kubernetes.io/unreachable', 'NoExecute')]), 'n1: it is not Ready'],
    ['that is cordoned', { ...node({}), spec: { unschedulable: true } }, 'n1: it is cordoned'],
  ])('does not run on a node %s', (_what, one, told) => {
    expect(why(one)).toBe(told);
  });

  test('does not run where a node becomes an edge node', () => {
    expect(why(node({}), chart, ['n1'])).toBe('n1: it becomes an edge node');
  });

  test('runs where its values say', () => {
    const own = program({ nodeSelector: { pool: 'cloud' }, tolerations: [{ key: 'cloud', value: 'only' }] });
    const taints = [taint('cloud', 'NoSchedule', 'only')];
    expect(why(node({ pool: 'cloud' }, taints), own)).toBeUndefined();
    expect(why(node({}, taints), own)).toContain('labels');
    expect(why(node({ pool: 'cloud' }, [taint('cloud', 'NoSchedule')]), own)).toContain('taint');
  });

  test('is judged by all Nodes, and not where there is none yet', () => {
    const edge = node({ [labels.nodeEdge]: 'true' });
    expect(why([edge, node({})])).toBeUndefined();
    expect(why([])).toBeUndefined();
    expect(why(Array.from({ length: 7 }, () => edge))).toMatch(/^n1: it is an edge node; .*; and 2 more$/);
  });
});
