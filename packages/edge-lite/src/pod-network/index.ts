export { createPodNetwork, type PodNetworkDeps, type PodNetworkOptions } from './pod-network.ts';
