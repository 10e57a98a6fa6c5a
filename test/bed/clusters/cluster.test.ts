import { describe, expect, it } from 'vitest';
import { readTasks } from './cluster.ts';
import { describeCluster } from './description.ts';

describe('a cluster', () => {
  it('has workers at one site', () => {
    const { sites, nodes } = describeCluster({ name: 'one', index: 0, layout: 'kubeadm', workers: 2 });
    expect(sites.map(({ name }) => name)).toEqual(['shop']);
    expect(nodes.map(({ name, site, kind, agent }) => [name, site, kind, agent])).toEqual([
      ['shop-1', 'shop', 'machine', 'none'],
      ['shop-2', 'shop', 'machine', 'none'],
    ]);
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
