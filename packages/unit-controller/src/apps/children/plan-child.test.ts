import { labels } from '@selvedge/api';
import { describe, expect, test } from 'vitest';
import { applied, fieldsOf, intentNamed, seenOf, specOf } from '../testing.ts';
import { hasField } from './field-set.ts';
import { planChild } from './plan-child.ts';

const deployment = intentNamed('Deployment');
const settled = seenOf(applied(deployment.made));
const fields = settled.owned?.fields ?? {};

describe('an object of a UnitApp', () => {
  test('that is not there is made', () => {
    expect(planChild(deployment, undefined, 'app')).toEqual({ kind: 'create' });
  });

  test('that is as it should be is left alone', () => {
    expect(planChild(deployment, settled, 'app')).toEqual({ kind: 'none', why: 'settled' });
  });

  test('is left alone whatever others have added to it', () => {
    const more = applied({ ...deployment.made, spec: { paused: true } }, fields);
    expect(planChild(deployment, seenOf(more), 'app').kind).toBe('none');
  });

  test('of another revision is applied', () => {
    expect(planChild(intentNamed('Deployment', specOf('till:2')), settled, 'app')).toEqual({ kind: 'apply' });
  });

  test('is applied when somebody has taken a field of it, or all of them', () => {
    const { 'f:spec': _, ...taken } = fields;
    for (const left of [taken, {}, { 'f:metadata': {} }]) {
      const seen = seenOf(applied(deployment.made, left));
      expect(planChild(deployment, seen, 'app')).toEqual({ kind: 'apply' });
    }
  });

  test.each([
    ['somebody else', 'another', 'foreign'],
    ['a UnitApp that had the name before', 'app-before', 'foreign'],
  ])('of %s is left alone', (_, owner, why) => {
    expect(planChild(deployment, settled, owner)).toEqual({ kind: 'none', why });
  });

  test('that is on its way out is waited for', () => {
    const { metadata } = deployment.made;
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    const leaving = seenOf(
      applied({ ...deployment.made, metadata: { ...metadata, deletionTimestamp } }, fields),
    );
    expect(planChild(deployment, leaving, 'app')).toEqual({ kind: 'none', why: 'leaving' });
  });

  test('gives up what is left to others before it is applied without it', () => {
    const left = intentNamed('Deployment', specOf('till:2', { unmanagedFields: ['/spec/replicas'] }));
    expect(planChild(left, settled, 'app')).toEqual({ kind: 'release', pointers: ['/spec/replicas'] });
    const given = seenOf(applied(left.made, fieldsOf({ ...left.kept, metadata: left.kept.metadata })));
    expect(hasField(given.owned?.fields ?? {}, '/spec/replicas')).toBe(false);
    expect(planChild(left, given, 'app')).toEqual({ kind: 'none', why: 'settled' });
  });
});

describe('what is asked for', () => {
  const withService = { service: { spec: { ports: [{ port: 80 }] } } };

  test('has another hash with another revision, its pods only if their template is another', () => {
    const [one, other] = [
      intentNamed('Deployment'),
      intentNamed('Deployment', specOf('till:1', withService), 2),
    ];
    const templates = [one, other].map(({ made }) => made.metadata.labels?.[labels.podTemplate]);
    expect(one.hash).not.toBe(other.hash);
    expect(templates[0]).toBe(templates[1]);
    expect(intentNamed('Deployment', specOf('till:2')).made.metadata.labels?.[labels.podTemplate]).not.toBe(
      templates[0],
    );
  });

  test('has the same hash with another revision if it is no workload: it is not written', () => {
    const services = [1, 2].map((revision) =>
      intentNamed('Service', specOf(`till:${revision}`, withService), revision),
    );
    expect(services[0]?.hash).toBe(services[1]?.hash);
  });

  test('says to pods which template they are of, not which revision', () => {
    const { spec } = deployment.made as unknown as {
      spec: { template: { metadata: { labels: object } }; selector: { matchLabels: object } };
    };
    expect(Object.keys(spec.template.metadata.labels).toSorted()).toEqual(
      [labels.podTemplate, labels.unit, labels.unitApp].toSorted(),
    );
    expect(Object.keys(spec.selector.matchLabels).toSorted()).toEqual([labels.unit, labels.unitApp]);
  });

  test('leaves replicas to an autoscaler', () => {
    const scaled = intentNamed(
      'Deployment',
      specOf('till:1', { scaling: { horizontal: { maxReplicas: 3 } } }),
    );
    expect(scaled.left).toEqual(['/spec/replicas']);
    expect(scaled.kept['spec']).not.toHaveProperty('replicas');
  });
});
