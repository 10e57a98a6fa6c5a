import { describe } from 'vitest';
import { useInstallerCluster } from './support/installer-cluster.ts';
import { byProgram, itIsConvertedAndTakenBack } from './support/installer-scene.ts';

describe('a cluster of kubeadm with ten pods on each of three nodes', () => {
  const world = useInstallerCluster({ layout: 'kubeadm', stem: 'conv' });
  itIsConvertedAndTakenBack({
    world,
    open: () => byProgram(world),
    nodes: ['shop-1', 'shop-2', 'shop-3'],
    cloud: 'reverted',
    startsOffline: true,
  });
});
