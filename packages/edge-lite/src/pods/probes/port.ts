import { SelvedgeError } from '@selvedge/kit';
import type { Container } from '@selvedge/kube/types';

import type { ProbeTarget } from './types.ts';

/** The number of a port that a probe names or numbers. Throws `Invalid`. */
export function resolvePort(port: number | string, { ports = [] }: Container): number {
  const named = typeof port === 'string' ? ports.find(({ name }) => name === port)?.containerPort : port;
  const number = named ?? Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  const known = typeof port === 'number' ? `invalid port number: ${port}` : `port ${port} not found`;
  throw new SelvedgeError(known, { code: 'Invalid' });
}

/**
 * The host that is probed: the one that the probe names, else the pod's address. Throws `Unavailable` without either,
 * where an empty host would mean this machine.
 */
export function hostOf(named: string | undefined, target: Pick<ProbeTarget, 'podIP'>): string {
  const host = named === undefined || named === '' ? target.podIP() : named;
  if (host === '') throw new SelvedgeError('the pod has no address', { code: 'Unavailable' });
  return host;
}
