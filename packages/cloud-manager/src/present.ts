/** Those that there are. */
export const present = <T>(...parts: readonly (T | undefined)[]): readonly T[] =>
  parts.filter((part) => part !== undefined);
