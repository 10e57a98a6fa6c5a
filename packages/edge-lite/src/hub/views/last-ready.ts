import { type Clock, type Logger, type Scope, createTaskGroup, scoped } from '@selvedge/kit';
import type { EndpointSlice } from '@selvedge/kube/types';
import type { ObjectName, Replica } from '../replica/types.ts';
import type { Connectivity, Upstream } from '../upstream/types.ts';
import { withLastReady } from './slice-truth.ts';

export interface LastReadyOptions {
  readonly nodeName: string;
}

export interface LastReadyDeps {
  readonly replica: Pick<Replica, 'reader'>;
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>;
  /** Told of slices that are to be shown anew, because they are taken at their word again. */
  readonly changed: (names: readonly ObjectName[]) => void;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Pick<Logger, 'error'>;
}

/**
 * A cut that took a site's nodes from the cloud made all their endpoints unready there. The first of them to hear so after
 * the heal must not believe it: the others will be heard within seconds.
 */
export interface LastReady extends Disposable {
  /** As it is, or with endpoints of other nodes that were shown ready and have not changed otherwise. */
  apply(slice: EndpointSlice): EndpointSlice;
}

/** From the heal on, in milliseconds: longer than the nodes of a site take to be heard one after the other. */
const graceMs = 60_000;

export function createLastReady({ nodeName }: LastReadyOptions, deps: LastReadyDeps): LastReady {
  const { replica, upstream, changed, clock, log } = deps;
  const reader = replica.reader('discovery.k8s.io/v1/endpointslices');
  const held = new Map<string, ObjectName>();
  const tasks = createTaskGroup(
    { name: 'last ready endpoints' },
    { onFailure: (error) => log.error('endpoints not taken at their word again', { error }) },
  );
  let holds = upstream.connectivity.kind === 'offline';
  let grace: Scope | undefined;

  const end = async (scope: Scope): Promise<void> => {
    try {
      await clock.sleep(graceMs, scope.signal);
    } catch (error) {
      if (scope.signal.aborted) return;
      throw error;
    }
    holds = false;
    const names = [...held.values()];
    held.clear();
    if (names.length > 0) changed(names);
  };
  const follow = ({ kind }: Connectivity): void => {
    grace?.abort();
    grace = undefined;
    if (kind === 'offline') holds = true;
    if (kind !== 'online' || !holds) return;
    const scope = scoped(tasks.signal);
    grace = scope;
    tasks.run('grace', () => end(scope));
  };
  const subscription = upstream.onConnectivity(follow);
  return {
    apply(slice) {
      if (!holds) return slice;
      const { namespace = '', name = '' } = slice.metadata;
      const shown = reader.get({ namespace, name });
      if (shown === undefined) return slice;
      const next = withLastReady(slice, JSON.parse(shown.json) as EndpointSlice, nodeName);
      if (next !== slice) held.set(`${namespace}/${name}`, { namespace, name });
      return next;
    },
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
      void tasks.stop();
    },
  };
}
