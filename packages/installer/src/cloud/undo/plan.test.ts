import { SelvedgeError } from '@selvedge/kit';
import type { KubeClient, KubeObject } from '@selvedge/kube';
import { describe, expect, test } from 'vitest';
import { newClusterInfo } from '../../token/cluster-info.ts';
import { bindingOf } from '../../group-rights.ts';
import { kubeletConfigChanges, tunnelCaChanges } from '../../token/join-configs.ts';
import { clusterInfoObject, joinRights, readersBinding, readersRole } from '../../token/join-rights.ts';
import type { InventoryEntry } from '../inventory/index.ts';
import type { CloudDeps, CloudUndoPlan, CloudUndoSeen } from '../types.ts';
import { lookAtCloudUndo } from './look.ts';
import { planCloudUndo } from './plan.ts';
import { undoCloud } from './undo.ts';

const { signal } = new AbortController();

interface Asked {
  readonly plural: string;
}

const unread = { text: undefined, isOpen: false };
/** What `token create` applies so that machines may read what they have to know. */
const published = [
  ...kubeletConfigChanges({ ...unread, text: 'kind: KubeletConfiguration' }),
  ...tunnelCaChanges({ kind: 'known', servers: [], ca: 'PEM' }, unread),
].flatMap(({ write }) => (write.kind === 'apply' ? [write] : []));

/** Has what `token create` makes, and one binding of somebody else. */
function clusterWithTokens(): { readonly cluster: KubeClient; readonly names: () => readonly string[] } {
  const theirs = { metadata: { name: 'theirs' } };
  const store = new Map<string, readonly KubeObject[]>([
    ['clusterrolebindings', [...joinRights.map(bindingOf), theirs]],
    ['configmaps', [clusterInfoObject(newClusterInfo('https://a:6443', 'PEM'))]],
    ['roles', [readersRole]],
    ['rolebindings', [readersBinding]],
  ]);
  for (const { resource, object } of published) {
    store.set(resource.plural, [...(store.get(resource.plural) ?? []), object]);
  }
  const of = ({ plural }: Asked): readonly KubeObject[] =>
    (store.get(plural) ?? []).map(({ metadata }) => ({
      metadata: { ...metadata, uid: `${plural} ${metadata.name ?? ''}` },
    }));
  const cluster = {
    get: () => Promise.reject(new SelvedgeError('not found', { code: 'NotFound' })),
    listAll(asked: Asked, { labelSelector = '', namespace }: { labelSelector?: string; namespace?: string }) {
      const [key = '', value] = labelSelector.split('=');
      const items = of(asked).filter(
        ({ metadata }) =>
          metadata.labels?.[key] === value && (namespace === undefined || metadata.namespace === namespace),
      );
      return Promise.resolve({ items });
    },
    delete(asked: Asked, _at: object, { preconditions }: { preconditions: { uid: string } }) {
      const left = of(asked).filter(({ metadata }) => metadata.uid !== preconditions.uid);
      store.set(asked.plural, left);
      return Promise.resolve();
    },
  };
  return {
    cluster: cluster as unknown as KubeClient,
    names: () => [...store.values()].flat().map(({ metadata }) => metadata.name ?? ''),
  };
}

test('what token create made where no inventory was is taken back, and nothing of others', async () => {
  const { cluster, names } = clusterWithTokens();
  const lookAndPlan = async (): Promise<CloudUndoPlan> =>
    planCloudUndo({ keepData: false }, await lookAtCloudUndo({ cluster, hosts: {}, signal }));
  const plan = await lookAndPlan();
  const whats = plan.parts.flatMap(({ changes }) => changes.map(({ what }) => what));
  expect(whats).toHaveLength(11);
  expect(whats).toContain('delete ConfigMap kube-public/cluster-info');
  expect(whats).toContain('delete RoleBinding kube-system/selvedge:kubelet-config');
  const progress: CloudDeps['progress'] = { task: (_title, work) => work(progress), note: () => undefined };
  await undoCloud(plan, { cluster, signal, progress } as unknown as CloudDeps);
  expect(names()).toEqual(['theirs']);
  expect(await lookAndPlan()).toMatchObject({ isDone: true });
});

const made = (kind: string, name: string): InventoryEntry => ({
  kind: 'made',
  place: { apiVersion: 'v1', kind, plural: `${kind.toLowerCase()}s`, name },
  uid: 'u',
});
const machine = (phase: 'manager' | 'egress'): InventoryEntry => ({
  kind: 'machine',
  phase,
  name: 'cloud-1',
  addresses: ['10.0.0.1'],
});

const nothing: CloudUndoSeen = {
  inventory: undefined,
  adopted: [],
  gone: [],
  isNamespaceOurs: false,
  strangers: [],
  isHelms: false,
  viaKubelet: false,
};
const installed = (entries: readonly InventoryEntry[], more: Partial<CloudUndoSeen> = {}): CloudUndoSeen => ({
  ...nothing,
  inventory: { version: '0.4.0', mode: 'unit', complete: true, tunnelServers: [], entries },
  ...more,
});
const crd = made('CustomResourceDefinition', 'edgeunits.selvedge.io');
const role = made('ClusterRole', 'selvedge:hub');

/** `cluster: delete ClusterRole selvedge:hub`, in the order of the plan. */
const linesOf = ({ parts }: CloudUndoPlan): readonly string[] =>
  parts.flatMap(({ where, changes }) => changes.map(({ what }) => `${where}: ${what}`));

describe('a plan for the way back', () => {
  const keep = { keepData: true };
  const takeAll = { keepData: false };

  test('is done where nothing of ours is', () => {
    const done = { isDone: true, parts: [], warnings: [] };
    expect(planCloudUndo(takeAll, nothing)).toMatchObject(done);
    // What somebody else installed by helm under that name is nobody's business here.
    expect(planCloudUndo(takeAll, { ...nothing, isHelms: true })).toMatchObject(done);
  });

  test('goes backwards, the API servers first, and says what goes with the definitions', () => {
    const seen = installed([crd, role, machine('manager'), machine('egress')], { isNamespaceOurs: true });
    const plan = planCloudUndo(takeAll, seen);
    expect(linesOf(plan)).toEqual([
      'control plane cloud-1: restore the manifest of its API server, and wait until it is ready',
      'control plane cloud-1: remove the systemd unit cloud-manager and its files',
      'cluster: delete all UnitApps, and wait until their clones are gone',
      'cluster: delete all EdgeUnits, and wait until their settings are removed from nodes',
      'cluster: turn autonomy off, and wait until pods have their original tolerations',
      'cluster: remove the traffic scope annotations from Namespaces',
      'cluster: delete ClusterRole selvedge:hub',
      'cluster: delete CustomResourceDefinition edgeunits.selvedge.io',
      'cluster: delete Namespace selvedge-system',
    ]);
    expect(plan).toMatchObject({ isDone: false, warnings: [expect.stringContaining('every ban')] });
  });

  test('leaves API servers alone on the way through which machines are entered', () => {
    const viaKubelet = true;
    const restarts = installed([role, machine('egress')], { viaKubelet });
    expect(() => planCloudUndo(takeAll, restarts)).toThrowError(
      expect.objectContaining({ code: 'Unsupported', hint: expect.stringContaining('--transport ssh') }),
    );
    expect(planCloudUndo(takeAll, installed([role], { viaKubelet }))).toMatchObject({ isDone: false });
    const gone = ['cloud-1'];
    const plan = planCloudUndo(takeAll, installed([role, machine('egress')], { viaKubelet, gone }));
    expect(plan.warnings).toEqual([expect.stringMatching(/^cloud-1 is not in the cluster any more/)]);
  });

  test.each([
    {
      what: 'keeps the data if asked',
      seen: installed([crd, role]),
      lines: ['delete ClusterRole selvedge:hub'],
    },
    {
      what: 'leaves a namespace that is not ours',
      seen: installed([role]),
      lines: ['delete ClusterRole selvedge:hub'],
    },
    {
      what: 'deletes the namespace that is all there is',
      seen: { ...nothing, isNamespaceOurs: true },
      lines: ['delete Namespace selvedge-system'],
    },
    {
      what: 'takes what no inventory tells of',
      seen: { ...nothing, adopted: [role] },
      lines: ['delete ClusterRole selvedge:hub'],
    },
  ])('$what', ({ seen, lines }) => {
    const plan = planCloudUndo(keep, seen);
    expect(linesOf(plan)).toEqual(lines.map((line) => `cluster: ${line}`));
    expect(plan.warnings).toEqual([]);
  });

  test('keeps a namespace in which somebody has something, and says so', () => {
    const strangers = ['Secret selvedge-system/cloud-manager-tls'];
    const plan = planCloudUndo(keep, installed([role], { isNamespaceOurs: true, strangers }));
    expect(linesOf(plan)).toEqual(['cluster: delete ClusterRole selvedge:hub']);
    expect(plan.warnings).toEqual([
      expect.stringContaining('kept, for what selvedge did not create: Secret'),
    ]);
    expect(planCloudUndo(keep, { ...nothing, isNamespaceOurs: true, strangers })).toMatchObject({
      isDone: true,
    });
  });

  test('is refused where helm has taken it over', () => {
    expect(() => planCloudUndo(takeAll, installed([role], { isHelms: true }))).toThrow(/helm/);
  });
});
