export { createHostReader } from './host.ts';
export { createNodePresence, type NodePresence } from './node.ts';
export type { NodeRuntime } from './ports.ts';
