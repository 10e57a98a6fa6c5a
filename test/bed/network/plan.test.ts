import { describe, expect, it } from 'vitest';
import { type BedDescription, defaultControlPlane } from '../description.ts';
import { withNode, withPower, withSite } from '../description-edit.ts';
import { type ObservedNamespace, planNetwork } from './plan.ts';
import { fingerprintOf, namespaceSpecs } from './spec.ts';

const empty: BedDescription = {
  schema: 1,
  name: 'bed',
  index: 3,
  controlPlane: defaultControlPlane,
  sites: [],
  nodes: [],
};
const bed = withNode(withSite(empty, { name: 's' }), { name: 'n' });
const specs = namespaceSpecs(bed);
const complete: readonly ObservedNamespace[] = specs.map((spec) => ({
  name: spec.name,
  fingerprint: fingerprintOf(spec),
}));
const halfMade = (name: string): ObservedNamespace[] =>
  complete.map((each) => (each.name === name ? { name, fingerprint: undefined } : each));

/** `-name` for a removal, `+name` for a new one, without the common beginning. */
const words = (desired: BedDescription, observed: readonly ObservedNamespace[]): string[] =>
  planNetwork(namespaceSpecs(desired), observed)
    .map((step) => (step.kind === 'remove' ? `-${step.namespace}` : `+${step.spec.name}`))
    .map((word) => word.replace('selvedge.bed.', ''));

describe('the plan of a network', () => {
  it('is empty at the target', () => {
    expect(words(bed, complete)).toEqual([]);
  });

  it('makes everything, parents first', () => {
    expect(words(bed, [])).toEqual(['+cloud', '+site.s', '+node.n']);
  });

  it('makes anew what a killed run left half-made', () => {
    expect(words(bed, halfMade('selvedge.bed.node.n'))).toEqual(['-node.n', '+node.n']);
  });

  it('makes anew what ends in something that is made anew, children last', () => {
    const observed = halfMade('selvedge.bed.site.s');
    expect(words(bed, observed)).toEqual(['-node.n', '-site.s', '+site.s', '+node.n']);
  });

  it('removes what is described no longer, and the namespace of a node that is off', () => {
    expect(words(withSite(empty, { name: 's' }), complete)).toEqual(['-node.n']);
    expect(words(withPower(bed, 'n', false), complete)).toEqual(['-node.n']);
    expect(words(empty, complete).toSorted()).toEqual(['-node.n', '-site.s']);
  });

  it('makes anew what another setup made', () => {
    const other = namespaceSpecs({
      ...bed,
      sites: bed.sites.map((site) => ({ ...site, lan: '10.9.9.0/24' })),
    });
    expect(planNetwork(other, complete).map((step) => step.kind)).toEqual([
      'remove',
      'remove',
      'make',
      'make',
    ]);
  });
});
