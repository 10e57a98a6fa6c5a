import type { Logger, Service } from '@selvedge/kit';
import type { HeldResource, ObjectName, Replica } from '../replica/types.ts';
import type { View } from '../views/types.ts';

export interface RefresherDeps {
  readonly replica: Pick<Replica, 'refresh'>;
  readonly views: readonly View[];
  readonly log: Logger;
}

type Names = readonly ObjectName[] | undefined;

/** Undefined is all. */
const both = (a: Names, b: Names): Names => (a === undefined || b === undefined ? undefined : [...a, ...b]);

/**
 * Has objects shown anew when an input of a view changed: soon, together, and never inside the change that caused it. Its
 * start shows all that views concern anew, for their inputs may be others than in the last run.
 */
export function createRefresher({ replica, views, log }: RefresherDeps): Service {
  const waiting = new Map<HeldResource, Names>();
  let subscriptions: readonly (Disposable | undefined)[] = [];
  const refresh = (): void => {
    for (const [resource, names] of waiting) {
      waiting.delete(resource);
      try {
        replica.refresh(resource, names);
      } catch (error) {
        log.error('views not shown anew', { resource, error });
      }
    }
  };
  const want = (resource: HeldResource, names: Names): void => {
    if (waiting.size === 0) queueMicrotask(refresh);
    waiting.set(resource, waiting.has(resource) ? both(waiting.get(resource), names) : names);
  };
  return {
    name: 'views',
    async start() {
      subscriptions = views.map((view) => view.onChange?.(want));
      for (const { resources } of views) for (const resource of resources) want(resource, undefined);
    },
    async stop() {
      for (const subscription of subscriptions) subscription?.[Symbol.dispose]();
      waiting.clear();
    },
  };
}
