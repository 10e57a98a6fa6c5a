/** Whether an address is of this machine. */
export type IsLocal = (address: string) => boolean;

const loopback = /^(127\.|::1$)/;

export const isLoopback: IsLocal = (address) => loopback.test(address);

/** What a client's address counts as: its own, or one of this machine, which are all the same. */
export const sourceOf = (address: string, isLocal: IsLocal = isLoopback): string =>
  isLocal(address) ? 'loopback' : address;
