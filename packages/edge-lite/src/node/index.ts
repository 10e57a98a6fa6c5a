export type { NodeOptions } from './build-node.ts';
export { createHostReader, type HostFacts, type ReadHost } from './host.ts';
export { createNodePresence, type NodeDeps, type NodePresence } from './node.ts';
export type { NodeEvents, NodeRuntime, ShownNode } from './ports.ts';
