import { lookup as systemLookup } from 'node:dns';
import { type LookupFunction, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, SelvedgeError, hasCode } from '@selvedge/kit';
import { connectTcp, createIpRanges, isOfNoHost } from '@selvedge/kit/net';
import { type Target, formatTarget } from '@selvedge/tunnel';

/** Connects without a tunnel. Rejects with `Forbidden`, `DeadlineExceeded`, `Unavailable` or the signal's reason. */
export type Dial = (target: Target, signal: AbortSignal) => Promise<Duplex>;

export interface DialOptions {
  /** Networks that may be dialled though they are this machine's or its link's. Default none. */
  readonly allow?: readonly string[] | undefined;
}

export interface DialDeps {
  readonly clock: Clock;
  /** Default: the system's resolver. */
  readonly lookup?: LookupFunction | undefined;
}

/** Long enough for a SYN that was lost, short enough for a webhook's patience. */
const dialMs = 8_000;

const forbidden = (host: string): SelvedgeError =>
  new SelvedgeError(`${host} is an address of the server itself or of its link`, { code: 'Forbidden' });

/** Gives those addresses of a name that may be dialled. */
function restricted(lookup: LookupFunction, mayDial: (address: string) => boolean): LookupFunction {
  return (hostname, options, report) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return report(error, '');
      const [first, ...others] = (typeof found === 'string' ? [] : found).filter((one) =>
        mayDial(one.address),
      );
      if (first === undefined) return report(forbidden(hostname), '');
      if (options.all === true) return report(null, [first, ...others]);
      return report(null, first.address, first.family);
    });
  };
}

/** Dials TCP to anything but this machine and its link, which is told by the address, whatever name it was asked for by. */
export function createDial({ allow = [] }: DialOptions, { clock, lookup = systemLookup }: DialDeps): Dial {
  const isAllowed = createIpRanges(allow);
  const mayDial = (address: string): boolean => !isOfNoHost(address) || isAllowed(address);
  const byName = restricted(lookup, mayDial);
  return async (target, signal) => {
    if (isIP(target.host) !== 0 && !mayDial(target.host)) throw forbidden(target.host);
    const url = new URL(`tcp://${formatTarget(target)}`);
    try {
      return await connectTcp({ url, dialMs, lookup: byName, allowHalfOpen: true }, clock, signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (hasCode(cause, 'Forbidden')) throw cause;
      const code = hasCode(cause, 'DeadlineExceeded') ? 'DeadlineExceeded' : 'Unavailable';
      throw new SelvedgeError(`cannot connect to ${formatTarget(target)}`, { code, cause });
    }
  };
}
