export type { ClusterClient } from './client.ts';
export { type ClusterNode, clusterNodeOf } from './cluster-node.ts';
export { type Container, readContainers } from './containers.ts';
export { type Expectation, lacksOf } from './expectations.ts';
export { listNodes } from './list-nodes.ts';
export { listTraces } from './list-traces.ts';
export { type LogsSight, lookAtLogs } from './logs.ts';
export { type MaxUnavailable, parseMaxUnavailable } from './max-unavailable.ts';
export { type PodSight, listPods } from './pods.ts';
export { isAnyProxyPod, isProxyPod, replacePods } from './proxy-pods.ts';
export { type ContainersBefore, type Restarts, compareContainers, rememberPods } from './restarts.ts';
export { type WaveWork, runWaves } from './run-waves.ts';
export { type NamedNode, type NodeChoice, parseNodeNames, selectNodes } from './select.ts';
export { type NodeSight, lookAtNode } from './sight.ts';
export { removeConditions, removeTraces } from './traces.ts';
export {
  type ServicesBefore,
  lookAgainAtServices,
  lookAtServices,
} from './services.ts';
export { type OnFailure, type WaveOptions, timeoutHint, waveDefaults } from './wave-options.ts';
export { type Wave, wavesOf } from './waves.ts';
