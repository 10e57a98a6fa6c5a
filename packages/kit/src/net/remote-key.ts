import type { Socket } from 'node:net';

/** Names a TCP connection among those of one listener: it, and the TLS connection inside of it, have the same. */
export const remoteKey = ({
  remoteAddress,
  remotePort,
}: Pick<Socket, 'remoteAddress' | 'remotePort'>): string => `${remoteAddress} ${remotePort}`;
