export { createPodLogs, type PodLogsOptions } from './logs.ts';
export { createLogRotator, type LogRotatorOptions } from './rotator.ts';
export { rotatedNames } from './rotation-plan.ts';
