import type { Caller } from '../request.ts';
import type { Sponsor } from './types.ts';

export const nodeSponsor: Sponsor = { kind: 'node' };

const accountName = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** The sponsor that acts as the same identity as the caller. Undefined for those whose credentials the hub cannot use. */
export function sponsorOf(caller: Caller): Sponsor | undefined {
  switch (caller.kind) {
    case 'node':
      return nodeSponsor;
    case 'configured':
      return { kind: 'configured', client: caller.client };
    case 'token': {
      const [, namespace, serviceAccount] = accountName.exec(caller.user.username) ?? [];
      if (namespace === undefined || serviceAccount === undefined) return undefined;
      return { kind: 'pod', namespace, serviceAccount };
    }
    case 'operator':
      return undefined;
  }
}

/** One text for one sponsor. */
export function sponsorKey(sponsor: Sponsor): string {
  switch (sponsor.kind) {
    case 'node':
      return 'node';
    case 'pod':
      return `pod ${sponsor.namespace}/${sponsor.serviceAccount}`;
    case 'configured':
      return `client ${sponsor.client}`;
  }
}

export const isSameSponsor = (a: Sponsor | undefined, b: Sponsor | undefined): boolean =>
  a !== undefined && b !== undefined && sponsorKey(a) === sponsorKey(b);

const ranks = { node: 0, pod: 1, configured: 2 };

/**
 * In which order sponsors are tried: the one that ran it last, as long as nobody refused it, then the node certificate,
 * the tokens of pods, the configured clients.
 */
export function sponsorOrder(known: readonly Sponsor[], running: Sponsor | undefined): readonly Sponsor[] {
  const all = [nodeSponsor, ...known].toSorted((a, b) => ranks[a.kind] - ranks[b.kind]);
  const first = running === undefined ? all : [running, ...all];
  return [...new Map(first.map((sponsor) => [sponsorKey(sponsor), sponsor])).values()];
}
