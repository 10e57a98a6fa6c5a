import type { Socket } from 'node:net';
import { plainHost } from '@selvedge/kit/net';
import { formatTarget } from '../protocol/target.ts';

/** The other end of a TCP connection: `192.0.2.7:443`, `[2001:db8::7]:443`; undefined for one that is gone. */
export function remoteOf({
  remoteAddress,
  remotePort,
}: Pick<Socket, 'remoteAddress' | 'remotePort'>): string | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return formatTarget({ host: plainHost(remoteAddress), port: remotePort });
}
