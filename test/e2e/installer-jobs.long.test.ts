import { describe, expect, it } from 'vitest';
import { useInstallerCluster } from './support/installer-cluster.ts';
import { byJobs, jobsProgram, leftByJobs, prepareForJobs } from './support/installer-jobs.ts';
import { itIsConvertedAndTakenBack } from './support/installer-scene.ts';
import { until } from './support/programs.ts';

describe('a cluster of kubeadm to whose machines there is no SSH', () => {
  const world = useInstallerCluster({
    layout: 'kubeadm',
    stem: 'jobs',
    workers: 1,
    podsPerNode: 4,
    prepare: prepareForJobs,
  });

  it('keeps its API server as it is: no Job restarts what it runs through', async () => {
    const program = await jobsProgram(world);
    const args = [...program.convertFlags, '--nodes=shop-1', '--manager=unit', '--yes'];
    const { exitCode, stderr } = await program.run(['convert', ...args]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('a Job cannot restart the API server of cloud-1');
  });

  itIsConvertedAndTakenBack({
    world,
    open: () => byJobs(world),
    nodes: ['shop-1'],
    cloud: 'reverted',
    // The way of the installer to the machine makes no difference once it is an edge node.
    startsOffline: false,
  });

  it('has nothing of the Jobs left', async () => {
    const { cluster } = world;
    const { stdout } = await cluster.kubectl(['get', 'jobs', '--all-namespaces', '--output=name']);
    expect(stdout).toBe('');
    for (const worker of cluster.workers) {
      await until(`nothing of Jobs on ${worker.name}`, async () => {
        const left = await leftByJobs(cluster, worker);
        if (left === '') return true;
        throw new Error(left);
      });
    }
  });
});
