import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';
import type { Connectivity, Upstream } from './types.ts';

type Known = Pick<Upstream, 'connectivity' | 'onConnectivity'>;

const kind: RuntimeKind<Connectivity['kind']> = { name: 'hub-connectivity' };
const key = 'last';

/**
 * The connectivity, and while nothing is known yet the one in which the last run ended. What is shown differently in a cut
 * stays as it was shown until there is news: a node that starts without the cloud takes nothing back for some seconds, one
 * that starts with it hides nothing.
 */
export function createLastKnown(deps: {
  readonly upstream: Known;
  readonly runtime: Pick<RuntimeRepository, 'get' | 'put'>;
}): Known {
  const { upstream, runtime } = deps;
  const wasAway = runtime.get(kind, key) === 'offline';
  upstream.onConnectivity((now) =>
    runtime.put(kind, { key, document: now.kind }, { durable: false, bytes: now.kind.length }),
  );
  return {
    get connectivity(): Connectivity {
      const now = upstream.connectivity;
      if (now.kind !== 'connecting' || !wasAway) return now;
      return { kind: 'offline', sinceMs: now.sinceMs, reason: 'nothing was heard since the start' };
    },
    onConnectivity: (changed) => upstream.onConnectivity(changed),
  };
}
