import { isLoopback } from '../net/ip-ranges.ts';

/** Whether an address is of this machine. */
export type IsLocal = (address: string) => boolean;

/** What a client's address counts as: its own, or one of this machine, which are all the same. */
export const sourceOf = (address: string, isLocal: IsLocal = isLoopback): string =>
  isLocal(address) ? 'loopback' : address;
