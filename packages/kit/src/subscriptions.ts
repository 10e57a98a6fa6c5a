import type { Service } from './service.ts';

/** What subscribing gives back. */
export type Unsubscribe = Disposable | (() => void);

/** A service that is subscribed to other things between its start and its stop. */
export function createSubscriptions(
  { name }: { readonly name: string },
  subscribe: () => Iterable<Unsubscribe>,
): Service {
  const held: Unsubscribe[] = [];
  return {
    name,
    async start() {
      held.push(...subscribe());
    },
    async stop() {
      for (const one of held.splice(0).toReversed()) {
        if (typeof one === 'function') one();
        else one[Symbol.dispose]();
      }
    },
  };
}
