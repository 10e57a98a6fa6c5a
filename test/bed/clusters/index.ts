export { addControlPlane, type AddOptions } from './kubeadm/add-control-plane.ts';
export { openCluster, upCluster, type UpOptions } from './up.ts';
export {
  clusterLayouts,
  type Cluster,
  type ClusterLayout,
  type ClusterMachine,
  type OperatorFiles,
  type RunningTask,
} from './types.ts';
