import type { Counter, MetricsRegistry } from '@selvedge/kit';

export interface AccessMetrics {
  /** `method`: `certificate`, `token`, `none`; `outcome`: `accepted`, `refused`. */
  readonly authentications: Counter;
  /** `kind`: `token`, `access`; `outcome`: `allowed`, `denied`, `failed`. */
  readonly reviews: Counter;
  /** `source`: `asked`, `remembered`, `stale`; `outcome`: `allowed`, `denied`. */
  readonly decisions: Counter;
  readonly withdrawn: Counter;
}

export function createAccessMetrics(registry: MetricsRegistry, remembered: () => number): AccessMetrics {
  registry.sampled(
    {
      name: 'selvedge_access_remembered_decisions',
      help: 'Decisions of the API server that are remembered.',
    },
    remembered,
  );
  const counter = (name: string, help: string): Counter =>
    registry.counter({ name: `selvedge_access_${name}_total`, help });
  return {
    authentications: counter('authentications', 'Requests by how their client showed who it is.'),
    reviews: counter('reviews', 'Token and access reviews asked of the API server.'),
    decisions: counter(
      'decisions',
      'Questions whether a user may do something, by where the answer came from.',
    ),
    withdrawn: counter('withdrawn', 'Decisions that were allowed and are not any more.'),
  };
}
