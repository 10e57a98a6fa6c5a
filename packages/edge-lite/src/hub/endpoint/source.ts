const loopback = /^(127\.|::1$)/;

export const isLoopback = (address: string): boolean => loopback.test(address);

/** What a client's address counts as: its own, or one of the loopback addresses, which are all the same. */
export const sourceOf = (address: string): string => (isLoopback(address) ? 'loopback' : address);
