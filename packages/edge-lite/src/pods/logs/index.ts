export { createPodLogs, type PodLogsOptions } from './logs.ts';
