import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import type { Clock } from '../clock.ts';
import { scoped } from '../scope.ts';

export interface LookupOptions {
  /** How long the resolver is waited for when an earlier answer is known, in milliseconds. */
  readonly patienceMs: number;
}

export interface LookupDeps {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Default: the system's resolver. */
  readonly resolve?: ((hostname: string) => Promise<readonly LookupAddress[]>) | undefined;
}

const bySystem = (hostname: string): Promise<readonly LookupAddress[]> =>
  systemLookup(hostname, { all: true });

/**
 * Addresses of names, for sockets. On a link that is cut the resolver is silent for many seconds, and its questions
 * cannot be called back: so each name is asked for once at a time, and while the resolver is silent or fails the last
 * answer stands. It holds one answer for each name, which are those of the config.
 */
export function createLookup({ patienceMs }: LookupOptions, deps: LookupDeps): LookupFunction {
  const { clock, resolve = bySystem } = deps;
  const known = new Map<string, readonly LookupAddress[]>();
  const asking = new Map<string, Promise<readonly LookupAddress[]>>();
  const ask = async (hostname: string): Promise<readonly LookupAddress[]> => {
    try {
      const addresses = await resolve(hostname);
      known.set(hostname, addresses);
      return addresses;
    } finally {
      asking.delete(hostname);
    }
  };
  const addressesOf = async (hostname: string): Promise<readonly LookupAddress[]> => {
    const answer = asking.get(hostname) ?? ask(hostname);
    asking.set(hostname, answer);
    const last = known.get(hostname);
    if (last === undefined) return answer;
    using timer = scoped();
    const late = clock.sleep(patienceMs, timer.signal).then(
      () => last,
      () => last,
    );
    try {
      return await Promise.race([answer.catch(() => last), late]);
    } finally {
      timer.abort();
    }
  };
  return (hostname, { all, family }, report) => {
    const give = (addresses: readonly LookupAddress[]): void => {
      const wanted = addresses.filter((one) => (family !== 4 && family !== 6 ? true : one.family === family));
      const [first] = wanted;
      if (first === undefined)
        report(Object.assign(new Error(`no address of ${hostname}`), { code: 'ENOTFOUND' }), '');
      else if (all === true) report(null, [...wanted]);
      else report(null, first.address, first.family);
    };
    addressesOf(hostname).then(give, (error: NodeJS.ErrnoException) => report(error, ''));
  };
}
