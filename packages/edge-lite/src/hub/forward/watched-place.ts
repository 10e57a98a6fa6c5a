import { naturalText, parseVersion } from '../replica/index.ts';
import { type ResourceRequest, flagOf } from '../request-info/index.ts';
import type { HubRequest } from '../request.ts';
import type { Horizon } from './horizon.ts';
import type { ShowVersion } from './rewrite-list.ts';
import type { ShowObject } from './rows.ts';
import { specOf } from './sent-query.ts';

/** How far a watch that goes through has come. The horizon is told when it ends: its client goes on from there. */
export interface WatchedPlace extends Disposable {
  object(show: ShowObject): ShowObject;
  version(show: ShowVersion): ShowVersion;
}

/** Whether it begins where another ended, and not with everything that is there, which is in no order. */
const goesOn = (query: URLSearchParams): boolean =>
  (parseVersion(query.get('resourceVersion') ?? '0') ?? 0n) > 0n &&
  flagOf(query, 'sendInitialEvents') !== true;

export function watchedPlace(
  { about, request }: { readonly about: ResourceRequest; readonly request: Pick<HubRequest, 'query'> },
  horizon: Pick<Horizon, 'told'>,
): WatchedPlace {
  const { query } = request;
  let inOrder = goesOn(query);
  let last: string | undefined;
  const come = (upstream: string, shown: string): void => {
    // What is shown under another version says how far the hub is.
    last = inOrder && naturalText(upstream) === shown ? shown : undefined;
  };
  return {
    object: (show) => (object) => {
      const upstream = object.metadata.resourceVersion;
      const shown = show(object);
      if (upstream !== undefined) come(upstream, shown.metadata.resourceVersion ?? '');
      return shown;
    },
    version: (show) => (upstream) => {
      const shown = show(upstream);
      inOrder = true;
      come(upstream, shown);
      return shown;
    },
    [Symbol.dispose]() {
      if (last !== undefined) horizon.told(specOf(about, query), last);
    },
  };
}
