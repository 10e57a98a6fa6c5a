import { describe } from 'vitest';
import { useInstallerCluster } from './support/installer-cluster.ts';
import { byLibrary, itIsConvertedAndTakenBack } from './support/installer-scene.ts';

describe('three agents as of k3s with ten pods each', () => {
  const world = useInstallerCluster({ layout: 'k3s', stem: 'k3s' });
  itIsConvertedAndTakenBack({
    world,
    open: () => byLibrary(world),
    nodes: ['shop-1', 'shop-2', 'shop-3'],
    cloud: 'left',
    // The agent itself waits for a server when it starts, whatever its kubelet could do.
    startsOffline: false,
  });
});
