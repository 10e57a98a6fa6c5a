import type { Upstream } from './types.ts';

/** Calls back when the cloud is away after it was not, and the other way round. */
export function onAway(
  upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>,
  changed: () => void,
): Disposable {
  let away = upstream.connectivity.kind === 'offline';
  return upstream.onConnectivity(({ kind }) => {
    if ((kind === 'offline') === away) return;
    away = !away;
    changed();
  });
}
