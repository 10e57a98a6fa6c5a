/** Annotations of a Service, or of a Namespace for those of its Services that have none. */
export const trafficAnnotations = {
  /** How far traffic to the Service goes: `node`, `unit` or `cluster`. Default: `cluster`. */
  scope: 'selvedge.io/traffic-scope',
  /** What becomes of it when nothing in its scope is ready: `none` or `cluster`. Default: `none`. */
  fallback: 'selvedge.io/traffic-fallback',
} as const;

export const trafficScopes = ['node', 'unit', 'cluster'] as const;
export const trafficFallbacks = ['none', 'cluster'] as const;

export type TrafficScope = (typeof trafficScopes)[number];
export type TrafficFallback = (typeof trafficFallbacks)[number];

/** How far the traffic to one Service goes. */
export interface Traffic {
  readonly scope: TrafficScope;
  readonly fallback: TrafficFallback;
}

/** Undefined: other words than these. They are refused where they are written, so who meets them is of another version. */
export function parseTraffic(annotations: Readonly<Record<string, string>> = {}): Traffic | undefined {
  const { [trafficAnnotations.scope]: scopeText = 'cluster' } = annotations;
  const { [trafficAnnotations.fallback]: fallbackText = 'none' } = annotations;
  const scope = trafficScopes.find((one) => one === scopeText);
  const fallback = trafficFallbacks.find((one) => one === fallbackText);
  return scope === undefined || fallback === undefined ? undefined : { scope, fallback };
}

/**
 * What holds for a Service, whatever its annotations say: other words than these close as far as can be, for who wrote them
 * wanted less than everything.
 */
export function trafficOf(annotations: Readonly<Record<string, string>> = {}): Traffic {
  const { [trafficAnnotations.scope]: scopeText = 'cluster' } = annotations;
  return {
    scope: trafficScopes.find((one) => one === scopeText) ?? 'node',
    fallback: annotations[trafficAnnotations.fallback] === 'cluster' ? 'cluster' : 'none',
  };
}
