import type { KubeObject } from '@selvedge/kube';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import type { RunningReplica } from './replica.ts';
import { createTestReplica } from './testing.ts';
import type { CoverageSpec } from './types.ts';

const resource = 'v1/pods';
const labels = { x: '' };
const at = { namespace: 'n', name: 'a' };

const pod = (version: number, uid = 'first', own: object = labels): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...at, uid, resourceVersion: String(version), labels: { ...own } },
});

let temporary: TemporaryStore;
let replica: RunningReplica;
beforeEach(async () => {
  temporary = await createTemporaryStore();
  replica = createTestReplica(temporary.store);
});
afterEach(() => temporary[Symbol.asyncDispose]());

/** A coverage with a complete list of version `version`. */
function listed(
  spec: Partial<CoverageSpec>,
  version: number,
  items: readonly KubeObject[],
  rewound = false,
): number {
  const all = { resource, namespace: '', labelSelector: '', fieldSelector: '' };
  const { id } = replica.addCoverage({ ...all, ...spec });
  const relist = replica.relist(id, { rewound });
  relist.add(items);
  relist.commit(String(version));
  return id;
}

const leave = (id: number, object: KubeObject): void =>
  replica.apply(id, [{ type: 'delete', object }], object.metadata.resourceVersion ?? '');
const put = (id: number, object: KubeObject): void =>
  replica.apply(id, [{ type: 'put', object }], object.metadata.resourceVersion ?? '');
const uid = (): string | undefined => replica.base(resource, at)?.metadata.uid;

const labelled = { labelSelector: 'x' };
const fixed: readonly Partial<CoverageSpec>[] = [
  {},
  { namespace: 'n' },
  { fieldSelector: 'metadata.name=a' },
  { fieldSelector: 'spec.nodeName=edge-1' },
];
const loose: readonly Partial<CoverageSpec>[] = [
  { labelSelector: 'y' },
  { fieldSelector: 'status.phase=Running' },
  { fieldSelector: 'spec.nodeName=' },
  { fieldSelector: 'spec.nodeName!=edge-1' },
];

describe('an object that a coverage says has left', () => {
  it.each(fixed)('is gone for all where no object leaves the selection %j alive', (spec) => {
    listed(labelled, 100, [pod(50)]);
    leave(listed(spec, 100, [pod(50)]), pod(110));
    expect(uid()).toBeUndefined();
  });

  it.each(loose)('stays with the others where it may have left the selection %j alive', (spec) => {
    listed(labelled, 100, [pod(50)]);
    leave(listed(spec, 100, [pod(50)]), pod(110));
    expect(uid()).toBe('first');
  });

  it('is not the one that was made since', () => {
    const id = listed({}, 100, [pod(50)]);
    replica.learn(resource, pod(120, 'second'));
    leave(id, pod(110));
    expect(uid()).toBe('second');
    put(id, pod(120, 'second'));
    leave(id, pod(130, 'second'));
    expect(uid()).toBeUndefined();
  });

  it('is let go by a coverage that does not select what it has become', () => {
    const [all, some] = [listed({}, 100, [pod(50)]), listed(labelled, 100, [pod(50)])];
    put(all, pod(120, 'first', {}));
    leave(some, pod(110));
    replica.dropCoverage(all);
    expect(uid()).toBeUndefined();
  });

  it('is not brought back by a coverage that is behind, but by one that is not', () => {
    const [all, some] = [listed({}, 100, [pod(50)]), listed(labelled, 100, [pod(50)])];
    leave(all, pod(110));
    put(some, pod(105));
    listed(labelled, 106, [pod(105)]);
    expect(uid()).toBeUndefined();
    put(some, pod(115, 'second'));
    expect(uid()).toBe('second');
  });
});

describe('an object that a list has not', () => {
  it.each(fixed.slice(0, 3))('is gone for all where no object leaves the selection %j alive', (spec) => {
    listed(labelled, 100, [pod(50)]);
    listed(spec, 110, []);
    expect(uid()).toBeUndefined();
  });

  it.each([{ namespace: 'other' }, { fieldSelector: 'metadata.name=b' }])(
    'stays where %j never had it',
    (spec) => {
      const take = ({ fieldSelector, namespace }: Partial<CoverageSpec>): boolean =>
        fieldSelector !== 'metadata.name=b' && namespace !== 'other';
      replica = createTestReplica(temporary.store, {}, { matchesSelection: (_resource, of) => take(of) });
      listed(labelled, 100, [pod(50)]);
      listed(spec, 110, []);
      expect(uid()).toBe('first');
    },
  );

  it('stays when it is newer than the list', () => {
    listed(labelled, 120, [pod(115)]);
    listed({}, 110, []);
    expect(uid()).toBe('first');
  });

  it('is gone whatever its version after the cluster went back in time', () => {
    const some = listed(labelled, 120, [pod(115)]);
    listed({ namespace: 'n' }, 120, [pod(115)]);
    listed({}, 60, [], true);
    expect(uid()).toBeUndefined();
    // The second one has not noticed yet: where it stands proves nothing.
    put(some, pod(61, 'second'));
    expect(uid()).toBe('second');
  });
});
