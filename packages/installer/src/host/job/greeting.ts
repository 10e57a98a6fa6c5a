import { maxGreetingBytes } from './scripts.ts';

/** The first line of what is printed, apart from the rest. */
export interface Greeting {
  /** Resolves with the line once it is whole; never, if none comes. */
  readonly line: Promise<string>;
  /** Gives what is not of the line, nothing before it is whole. */
  rest(bytes: Buffer): Buffer;
}

export function createGreeting(): Greeting {
  const { promise, resolve } = Promise.withResolvers<string>();
  let held: Buffer | undefined = Buffer.alloc(0);
  return {
    line: promise,
    rest(bytes) {
      if (held === undefined) return bytes;
      const all = Buffer.concat([held, bytes]);
      const end = all.indexOf('\n');
      held = end < 0 && all.length <= maxGreetingBytes ? all : undefined;
      if (held !== undefined) return Buffer.alloc(0);
      resolve(all.subarray(0, Math.max(end, 0)).toString());
      return all.subarray(end + 1);
    },
  };
}
