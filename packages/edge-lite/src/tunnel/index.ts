export type { NodeFacts } from './allow-list.ts';
export { kubeletTarget } from './kubelet-target.ts';
export { parseRule } from './rule.ts';
export { createTunnel, type Tunnel, type TunnelDeps, type TunnelOptions } from './tunnel.ts';
