export { createHostReader } from './host.ts';
export { defaultInterface, taskCount } from './parse.ts';
export { createNodePresence, type NodePresence } from './node.ts';
export type { NodeRuntime, ShownNode } from './ports.ts';
