import { tunnelServer } from '../control-plane/cloud-manager.ts';
import type { AgentOptions } from './agent.ts';

/** edge-lite's `modules.tunnel`, in a bed with a tunnel. */
export function tunnelModule({ bed }: Pick<AgentOptions, 'bed'>): { readonly tunnel?: object } {
  return bed.controlPlane.tunnel === true ? { tunnel: { servers: [tunnelServer(bed)] } } : {};
}
