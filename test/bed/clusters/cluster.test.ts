import { describe, expect, it } from 'vitest';
import { balancerConfig } from './balancer.ts';
import { readTasks } from './cluster.ts';
import { withNode } from '../description-edit.ts';
import { describeCluster, nextControlPlane } from './description.ts';
import { clusterEndpoint } from './machines.ts';

describe('a cluster', () => {
  const options = { name: 'one', index: 7, layout: 'kubeadm', controlPlanes: 1, workers: 1 } as const;

  it('has workers at one site', () => {
    const { sites, nodes } = describeCluster({ ...options, workers: 2 });
    expect(sites.map(({ name }) => name)).toEqual(['shop']);
    expect(nodes.map(({ name, site, kind, agent }) => [name, site, kind, agent])).toEqual([
      ['shop-1', 'shop', 'machine', 'none'],
      ['shop-2', 'shop', 'machine', 'none'],
    ]);
  });

  it('has further control planes beside the cloud, and one address for all', () => {
    const bed = describeCluster({ ...options, controlPlanes: 3 });
    expect(bed.nodes.map(({ name, site, host }) => [name, site, host])).toEqual([
      ['cloud-2', 'cloud', 120],
      ['cloud-3', 'cloud', 121],
      ['shop-1', 'shop', 11],
    ]);
    expect(clusterEndpoint(bed)).toBe('10.60.7.1:8443');
    expect(clusterEndpoint(describeCluster(options))).toBe('10.60.7.1:6443');
  });

  it('takes one more control plane where there is one address for all', () => {
    const bed = describeCluster({ ...options, controlPlanes: 2 });
    const node = nextControlPlane(bed);
    expect(node && withNode(bed, node).nodes.map(({ name, host }) => [name, host])).toEqual([
      ['cloud-2', 120],
      ['shop-1', 11],
      ['cloud-3', 121],
    ]);
    expect(nextControlPlane(describeCluster(options))).toBeUndefined();
  });

  it('has a balancer that leads to every API server', () => {
    const places = { folder: '/b', modules: '/m', address: '10.60.7.1' };
    const text = balancerConfig({ ...places, servers: ['10.60.7.1', '10.60.7.120'] });
    expect(text.match(/server 10\.60\.7\.\d+:6443 /g)).toHaveLength(2);
    expect(text).toContain('listen 10.60.7.1:8443;');
  });

  it('knows the tasks of a machine that run, in the order of their ids', () => {
    const printed =
      'TASK    PID    STATUS\nbb      20     RUNNING\ncc      30     STOPPED\naa      10     RUNNING\n';
    expect(readTasks(printed)).toEqual([
      { id: 'aa', pid: 10 },
      { id: 'bb', pid: 20 },
    ]);
  });
});
