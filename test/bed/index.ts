export { defaultBedName, Bed, type BedOptions } from './bed.ts';
export { connect } from './client.ts';
export { processBedDeps, type BedDeps } from './context.ts';
export type { CloudProgram } from './control-plane/control-plane.ts';
export type { BootstrapToken } from './control-plane/token.ts';
export {
  cloudSite,
  type BedDescription,
  type ContainerdVersion,
  type ControlPlaneDescription,
  type HostKind,
  type KubernetesVersion,
  type NodeAgent,
  type NodeDescription,
  type NodeOptions,
  type SiteDescription,
  type SiteOptions,
} from './description.ts';
export { imageRefs } from './images/index.ts';
export type { CutKind, Faults, Shape } from './network/faults.ts';
export type { BedStatus, NodeStatus, ProcessStatus, SiteStatus } from './status.ts';
export type { Kubectl, KubectlOptions } from './kubectl.ts';
export type { ContainerFilter, ContainerSummary } from './node/inspect.ts';
export type { BedRegistry } from './registry/index.ts';
export { nameBed, runName } from './run/run.ts';
export { waitFor, type WaitOptions } from './wait.ts';
