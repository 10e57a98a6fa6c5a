import type { CloudTunnel } from '../cloud/index.ts';
import { places } from '../places.ts';
import type { Step } from '../steps/index.ts';

/** `modules.tunnel` of edge-lite; undefined: no tunnel. Source: docs/reference/edge-lite-config.md. Pure. */
export function tunnelModule({ servers, ca }: CloudTunnel): object | undefined {
  if (servers.length === 0) return undefined;
  return { servers: [...servers], ...(ca === undefined ? {} : { caFile: places.tunnelCa }) };
}

/** The file that `tunnelModule` names, if it names one; its folder is there by then. Pure. */
export function tunnelFiles({ servers, ca }: CloudTunnel): readonly Step[] {
  if (servers.length === 0 || ca === undefined) return [];
  return [{ kind: 'file', path: places.tunnelCa, mode: 0o644, content: ca }];
}
