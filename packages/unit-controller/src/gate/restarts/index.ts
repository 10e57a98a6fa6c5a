export { clonePodResource, keptClonePod, type ClonePod } from './clone-pod.ts';
export { clonePodIndexers, restartsOf, type ClonePods } from './restarts.ts';
