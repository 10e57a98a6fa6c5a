import { fc, test as property } from '@fast-check/vitest';
import type { KubeObject } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import { canonicalSpec, compileSelection, covers, matchesSelection } from './selection.ts';
import type { CoverageSpec } from '../replica/types.ts';

const everything = { namespace: '', labelSelector: '', fieldSelector: '' };
const objectOf = (fields: object): KubeObject => ({ metadata: {}, ...fields });

describe('selections', () => {
  it.each([
    ['v1/pods', 'spec.nodeName=n', { spec: { nodeName: 'n' } }, true],
    ['v1/pods', 'spec.host=n', { spec: { nodeName: 'n' } }, true],
    ['v1/pods', 'spec.hostNetwork=false', { spec: {} }, true],
    ['v1/pods', 'spec.hostNetwork=true', { spec: { hostNetwork: true } }, true],
    ['v1/pods', 'status.podIP=10.0.0.1', { status: { podIPs: [{ ip: '10.0.0.1' }] } }, true],
    ['v1/pods', 'status.phase!=Failed', { status: { phase: 'Running' } }, true],
    ['v1/pods', 'status.phase=', {}, true],
    ['v1/nodes', 'spec.unschedulable=true', { spec: { unschedulable: true } }, true],
    ['v1/nodes', 'spec.unschedulable=false', {}, true],
    ['v1/secrets', 'type=Opaque', { type: 'Opaque' }, true],
    ['v1/events', 'involvedObject.name=a', { involvedObject: { name: 'b' } }, false],
    ['v1/events', 'source=kubelet', { source: {}, reportingComponent: 'kubelet' }, true],
    ['events.k8s.io/v1/events', 'regarding.name=a', { regarding: { name: 'a' } }, true],
    ['batch/v1/jobs', 'status.successful=0', {}, true],
    ['batch/v1/jobs', 'status.successful=2', { status: { succeeded: 2 } }, true],
    ['v1/services', 'spec.type=NodePort', { spec: { type: 'NodePort' } }, true],
    ['certificates.k8s.io/v1/certificatesigningrequests', 'spec.signerName=a', { spec: {} }, false],
    [
      'v1/configmaps',
      'metadata.name=a,metadata.namespace=b',
      { metadata: { name: 'a', namespace: 'b' } },
      true,
    ],
    ['example.com/v1/things', 'metadata.name=a', { metadata: { name: 'a' } }, true],
    ['example.com/v1/things', 'spec.color=red', {}, undefined],
    ['example.com/v1/things', 'spec.color=red,metadata.name=a', { metadata: { name: 'b' } }, false],
    ['v1/pods;metadata', 'spec.nodeName=n', {}, undefined],
  ])('%s by %s of %j: %s', (resource, fieldSelector, object, expected) => {
    expect(matchesSelection(resource, { ...everything, fieldSelector }, objectOf(object))).toBe(expected);
  });

  it.each([
    ['v1/pods', 'spec.color', 'field label not supported: spec.color'],
    ['v1/nodes', 'metadata.namespace', 'field label not supported: metadata.namespace'],
    ['batch/v1/jobs', 'spec.x', 'field label "spec.x" not supported for Job'],
    [
      'resource.k8s.io/v1/resourceslices',
      'spec.x',
      'field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: spec.x',
    ],
    [
      'apps/v1/replicasets',
      'status.replicas',
      '"status.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
  ])('%s cannot be selected by %s, in the words of the API server', (resource, field, message) => {
    const refused = (): unknown => compileSelection(resource, { ...everything, fieldSelector: `${field}=a` });
    expect(refused).toThrow(expect.objectContaining({ code: 'Invalid', message }));
  });

  it('takes the selectable fields of custom resources', () => {
    const custom = (): readonly string[] => ['spec.color', 'spec.size'];
    const select = (fieldSelector: string): boolean | undefined =>
      compileSelection('example.com/v1/things', { ...everything, fieldSelector }, custom).matches(
        objectOf({ spec: { color: 'red', size: 3 } }),
      );
    expect(select('spec.color=red,spec.size=3')).toBe(true);
    expect(select('spec.color!=red')).toBe(false);
    expect(() => select('spec.weight=1')).toThrow('field label not supported: spec.weight');
  });

  it('takes the namespace and labels of the metadata', () => {
    const selection = { namespace: 'a', labelSelector: 'app in (x,y)', fieldSelector: '' };
    const matches = (namespace: string, app: string): boolean | undefined =>
      matchesSelection('v1/pods', selection, { metadata: { namespace, labels: { app } } });
    expect(matches('a', 'x')).toBe(true);
    expect(matches('b', 'x')).toBe(false);
    expect(matches('a', 'z')).toBe(false);
  });

  it.each([
    [{ labelSelector: 'b=1, a in (y,x)' }, { labelSelector: 'a in (x,y),b=1' }],
    [{ labelSelector: 'a==1,a=1' }, { labelSelector: 'a=1' }],
    [{ labelSelector: '!c,a,a!=2' }, { labelSelector: '!c,a,a!=2' }],
    [
      { fieldSelector: 'spec.host==n,metadata.name=a,' },
      { fieldSelector: 'metadata.name=a,spec.nodeName=n' },
    ],
  ])('writes %j as %j', (written, expected) => {
    const spec = { resource: 'v1/pods', ...everything };
    expect(canonicalSpec({ ...spec, ...written })).toEqual({ ...spec, ...expected });
  });
});

const spec = (fields: Partial<CoverageSpec> = {}): CoverageSpec => ({
  resource: 'v1/pods',
  ...everything,
  ...fields,
});

describe('any text', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-z.,=!()\\ <>]{0,20}$/));
  property.prop([text, text])('is a selection or refused', (labelSelector, fieldSelector) => {
    try {
      const { selection } = compileSelection('v1/pods', { namespace: '', labelSelector, fieldSelector });
      expect(compileSelection('v1/pods', selection).selection).toEqual(selection);
    } catch (error) {
      expect(error).toMatchObject({ code: 'Invalid' });
    }
  });
});

describe('what a coverage covers', () => {
  const node = { fieldSelector: 'spec.nodeName=n' };
  it.each([
    [{}, {}, true],
    [{}, { namespace: 'a' }, true],
    [{ namespace: 'a' }, {}, false],
    [{ namespace: 'a' }, { namespace: 'b' }, false],
    [{}, node, true],
    [node, {}, false],
    [node, { fieldSelector: 'metadata.name=x,spec.nodeName=n' }, true],
    [node, { ...node, labelSelector: 'a=b' }, true],
    [{ labelSelector: 'a=b' }, { labelSelector: 'c,a=b' }, true],
    [{ labelSelector: 'a=b' }, { labelSelector: 'a=c' }, false],
    [{}, { resource: 'v1/pods;metadata' }, true],
    [{ resource: 'v1/pods;metadata' }, {}, false],
    [{ resource: 'v1/pods;metadata' }, { resource: 'v1/pods;metadata', ...node }, false],
    [{ resource: 'v1/pods;metadata', ...node }, { resource: 'v1/pods;metadata', ...node }, true],
    [{ resource: 'v1/nodes' }, {}, false],
  ])('%j covers %j: %s', (wide, narrow, expected) => {
    expect(covers(spec(wide), spec(narrow))).toBe(expected);
  });

  it('leaves fields alone that it cannot evaluate', () => {
    const things = { resource: 'example.com/v1/things' };
    const red = { ...things, fieldSelector: 'spec.color=red' };
    expect(covers(spec(things), spec(red))).toBe(false);
    expect(covers(spec(red), spec(red))).toBe(true);
    expect(covers(spec(things), spec(red), () => ['spec.color'])).toBe(true);
  });

  const label = fc.constantFrom('a=1', 'a=2', 'b', '!b', 'c in (1,2)', 'c!=1');
  const field = fc.constantFrom(
    'spec.nodeName=n',
    'spec.nodeName!=n',
    'status.phase=Running',
    'metadata.name=x',
  );
  const anySpec = fc
    .record({
      namespace: fc.constantFrom('', 'one', 'two'),
      labels: fc.uniqueArray(label, { maxLength: 3 }),
      fields: fc.uniqueArray(field, { maxLength: 2 }),
    })
    .map(({ namespace, labels, fields }) =>
      spec({ namespace, labelSelector: labels.join(','), fieldSelector: fields.join(',') }),
    );
  const pod = fc.record({
    metadata: fc.record({
      name: fc.constantFrom('x', 'y'),
      namespace: fc.constantFrom('one', 'two'),
      labels: fc
        .dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'))
        .map((set) => ({ ...set })),
    }),
    spec: fc.record({ nodeName: fc.constantFrom('n', 'm') }),
    status: fc.record({ phase: fc.constantFrom('Running', 'Failed') }),
  });

  property.prop([anySpec, anySpec, pod])(
    'holds all that the narrower one selects',
    (wide, narrow, object) => {
      if (!covers(wide, narrow) || matchesSelection('v1/pods', narrow, object) !== true) return;
      expect(matchesSelection('v1/pods', wide, object)).toBe(true);
    },
  );

  property.prop([anySpec, pod])('means the same in its canonical form', (one, object) => {
    const canonical = canonicalSpec(one);
    expect(canonicalSpec(canonical)).toEqual(canonical);
    expect(matchesSelection('v1/pods', canonical, object)).toBe(matchesSelection('v1/pods', one, object));
    expect(covers(one, canonical) && covers(canonical, one)).toBe(true);
  });
});
