import { describe } from 'vitest';
import { useInstallerCluster } from './support/installer-cluster.ts';
import { byLibrary, itIsConvertedAndTakenBack } from './support/installer-scene.ts';

describe('an agent as of k3s with ten pods', () => {
  const world = useInstallerCluster({ layout: 'k3s', stem: 'agent', workers: 1 });
  itIsConvertedAndTakenBack({
    world,
    open: () => byLibrary(world),
    nodes: ['shop-1'],
    cloud: 'left',
    // The agent itself waits for a server when it starts, whatever its kubelet could do.
    startsOffline: false,
  });
});
