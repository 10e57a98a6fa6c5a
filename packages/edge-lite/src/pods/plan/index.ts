export { afterRestart, type CrashBackoff } from './backoff.ts';
export type { Ending, Goal, PodDesired, ProbeVerdict } from './desired.ts';
export { plan } from './plan.ts';
export { isSidecar, restartsAfter } from './restart.ts';
export { judgeSandbox, type SandboxVerdict } from './sandbox.ts';
export type { ContainerRole, StartContainer, Step, StopContainer, WaitForBackoff } from './step.ts';
export { mayRun } from './view.ts';
