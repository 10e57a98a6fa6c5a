import { tunnelServer } from '../control-plane/cloud-manager.ts';
import type { AgentOptions } from './agent.ts';

/** edge-lite's `modules.tunnel`, in a bed with a tunnel. */
export function tunnelModule({ bed, node }: Pick<AgentOptions, 'bed' | 'node'>): {
  readonly tunnel?: object;
} {
  if (bed.controlPlane.tunnel !== true) return {};
  const { carriers, server = tunnelServer(bed) } = node.uplink ?? {};
  return { tunnel: { servers: [server], ...(carriers === undefined ? {} : { carriers }) } };
}
