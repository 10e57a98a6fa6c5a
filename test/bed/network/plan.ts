import { type NamespaceSpec, fingerprintOf } from './spec.ts';

/** A namespace that is there. The fingerprint is absent while its setup is not complete. */
export interface ObservedNamespace {
  readonly name: string;
  readonly fingerprint: string | undefined;
}

export type NetworkStep =
  | { readonly kind: 'remove'; readonly namespace: string }
  | { readonly kind: 'make'; readonly spec: NamespaceSpec };

/**
 * What makes the observed namespaces the desired ones (parents first): all removals, children first, then the new ones.
 * A namespace is made anew when it is incomplete, was made by another setup, or ends in one that is made anew.
 */
export function planNetwork(
  desired: readonly NamespaceSpec[],
  observed: readonly ObservedNamespace[],
): readonly NetworkStep[] {
  const fingerprints = new Map(observed.map(({ name, fingerprint }) => [name, fingerprint]));
  const made = new Map<string, NamespaceSpec>();
  for (const spec of desired) {
    const parentIsMade = spec.parent !== undefined && made.has(spec.parent);
    if (parentIsMade || fingerprints.get(spec.name) !== fingerprintOf(spec)) made.set(spec.name, spec);
  }
  const order = new Map(desired.map((spec, position) => [spec.name, position]));
  const removals = observed
    .filter(({ name }) => made.has(name) || !order.has(name))
    .toSorted((a, b) => (order.get(b.name) ?? Infinity) - (order.get(a.name) ?? Infinity) || 0);
  return [
    ...removals.map(({ name }): NetworkStep => ({ kind: 'remove', namespace: name })),
    ...[...made.values()].map((spec): NetworkStep => ({ kind: 'make', spec })),
  ];
}
