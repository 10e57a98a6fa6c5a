export { createKubeletApi, type KubeletApiDeps, type KubeletApiOptions } from './kubelet-api.ts';
export type { AnswerRoute, KubeletHandler, KubeletRequest, KubeletRoute, StreamRoute } from './types.ts';
export { logRoutes } from './logs/index.ts';
export { statsRoutes } from './stats/index.ts';
