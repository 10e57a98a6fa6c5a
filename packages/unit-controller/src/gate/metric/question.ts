import type { UnitAppRollout } from '@selvedge/api';
import { messageOf } from '@selvedge/kit';
import { type UnitValues, substituted } from '../../rendering/index.ts';
import { type MetricReading, unknown } from './reading.ts';
import { type AllowedServer, serverFor } from './servers.ts';

/** Of which unit what is wanted. An answer about one revision is never one about another. */
export interface MetricWish {
  /** The UnitApp's key. */
  readonly app: string;
  /** Of the UnitApp: another of its name is another. */
  readonly uid: string;
  readonly revision: number;
  readonly unit: UnitValues;
  readonly metric: NonNullable<NonNullable<UnitAppRollout['healthGate']>['metric']>;
}

export type Question<S> =
  | { readonly kind: 'question'; readonly server: S; readonly url: URL; readonly field: string }
  | { readonly kind: 'none'; readonly reading: MetricReading };

const none = (why: string): Question<never> => ({ kind: 'none', reading: unknown(why) });

/** What is to be asked of which server, or why nothing can be. Never throws. Pure. */
export function questionOf<S extends AllowedServer>(
  servers: readonly S[],
  { unit, metric }: MetricWish,
): Question<S> {
  let text: string;
  try {
    text = substituted(metric.url, unit, encodeURIComponent);
  } catch (error) {
    return none(messageOf(error));
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return none('its url is no URL');
  const server = serverFor(servers, url);
  if (server !== undefined) return { kind: 'question', server, url, field: metric.field };
  return none(`metricGate.servers of cloud-manager's config does not allow ${url.origin}${url.pathname}`);
}
