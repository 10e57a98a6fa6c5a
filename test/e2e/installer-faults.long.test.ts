import { describe } from 'vitest';
import { useInstallerCluster } from './support/installer-cluster.ts';
import { itGoesOnWhereverItWasLost } from './support/installer-faults.ts';

describe('a node of kubeadm that is converted and taken back', () => {
  const world = useInstallerCluster({ layout: 'kubeadm', stem: 'fault', workers: 1, podsPerNode: 2 });
  itGoesOnWhereverItWasLost(world);
});

describe('an agent of k3s that is converted and taken back', () => {
  const world = useInstallerCluster({ layout: 'k3s', stem: 'faulk', workers: 1, podsPerNode: 2 });
  itGoesOnWhereverItWasLost(world);
});
