import { isIPv6 } from 'node:net';
import { hasCode, messageOf, systemCode } from '@selvedge/kit';

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
};

/** `1.2.3.4:80`, `[::1]:80` */
export function hostPort(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** A failed connection in Go's words, which people know from the kubelet's events. */
export function socketWords(error: unknown, address: string): string {
  if (hasCode(error, 'DeadlineExceeded')) return `dial tcp ${address}: i/o timeout`;
  const known = words[systemCode(error) ?? ''];
  return known === undefined ? messageOf(error) : `dial tcp ${address}: ${known}`;
}
