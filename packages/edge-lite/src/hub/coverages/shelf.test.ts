import { describe, expect, it } from 'vitest';
import type { CoverageSpec } from '../replica/types.ts';
import { covers } from '../selection/index.ts';
import { CoverageShelf, type Shelved } from './shelf.ts';
import { nodeSponsor } from './sponsors.ts';
import { spec } from './testing-world.ts';
import type { CoverageState, Sponsor } from './types.ts';

const till: Sponsor = { kind: 'pod', namespace: 'shop', serviceAccount: 'till' };
const scale: Sponsor = { kind: 'pod', namespace: 'shop', serviceAccount: 'scale' };

const states: Readonly<Record<CoverageState['kind'], CoverageState>> = {
  filling: { kind: 'filling' },
  live: { kind: 'live' },
  stale: { kind: 'stale', sinceMs: 0 },
  suspended: { kind: 'suspended', reason: 'no' },
};

interface Made {
  readonly of: CoverageSpec;
  readonly state?: CoverageState['kind'];
  readonly running?: Sponsor | undefined;
  readonly synced?: boolean;
  readonly holds?: number;
  readonly unusedMs?: number;
  readonly followed?: boolean;
}

function made(parts: Made): Shelved {
  const {
    of,
    state = 'live',
    synced = state !== 'filling',
    holds = 1,
    unusedMs = 0,
    followed = true,
  } = parts;
  const running = 'running' in parts ? parts.running : nodeSponsor;
  const record = { ...of, id: 1, upstreamVersion: '1', synced };
  return {
    coverage: { record, running, state: states[state] },
    holds: { size: holds },
    idleness: { unusedMs, followed },
  };
}

function shelf(...all: readonly Made[]): CoverageShelf<Shelved> {
  const filled = new CoverageShelf<Shelved>(covers);
  for (const one of all) filled.add(made(one));
  return filled;
}

const pods = spec('v1/pods');
const shop = spec('v1/pods', { namespace: 'shop' });
const own = spec('v1/pods', { fieldSelector: 'spec.nodeName=shop-7' });
const web = spec('v1/pods', { labelSelector: 'app=web' });
const found = (kept: Shelved | undefined): CoverageSpec | undefined => {
  if (kept === undefined) return undefined;
  const { resource, namespace, labelSelector, fieldSelector } = kept.coverage.record;
  return { resource, namespace, labelSelector, fieldSelector };
};

describe('what answers a question online', () => {
  const node = { own: nodeSponsor, offline: false };
  const reader = { own: till, offline: false };
  it.each<[string, readonly Made[], CoverageSpec, typeof node, CoverageSpec | undefined]>([
    ['nothing of another resource', [{ of: spec('v1/services') }], pods, node, undefined],
    ['the same', [{ of: pods }, { of: own }], own, node, own],
    ['a wider one', [{ of: pods }], own, node, pods],
    ['no narrower one', [{ of: own }], pods, node, undefined],
    ['none of another namespace', [{ of: shop }], spec('v1/pods', { namespace: 'x' }), node, undefined],
    ['none with a requirement more', [{ of: web }], own, node, undefined],
    ['the whole for its metadata', [{ of: pods }], spec('v1/pods;metadata'), node, pods],
    ['no metadata for the whole', [{ of: spec('v1/pods;metadata') }], pods, node, undefined],
    [
      'a live one before one that fills',
      [{ of: shop, state: 'filling' }, { of: pods }],
      { ...web, namespace: 'shop' },
      node,
      pods,
    ],
    ['no wider one that is suspended', [{ of: pods, state: 'suspended' }], own, node, undefined],
    ['the same though suspended', [{ of: own, state: 'suspended' }], own, node, own],
    ['no wider one of a pod, for the node', [{ of: pods, running: till }], own, node, undefined],
    ['no wider one of another pod', [{ of: pods, running: scale }], web, reader, undefined],
    ['a wider one that runs as the reader', [{ of: pods, running: till }], web, reader, pods],
    ['no wider one that nobody runs yet', [{ of: pods, running: undefined }], own, node, undefined],
  ])('%s', (_what, held, question, who, answer) => {
    expect(found(shelf(...held).find(question, who))).toEqual(answer);
  });
});

describe('what answers a question offline', () => {
  const reader = { own: till, offline: true };
  it.each<[string, readonly Made[], CoverageSpec, CoverageSpec | undefined]>([
    ['whatever was complete once', [{ of: pods, state: 'suspended', running: scale }], own, pods],
    [
      'a wider one that is complete before the same that is not',
      [{ of: own, state: 'filling' }, { of: pods }],
      own,
      pods,
    ],
    ['nothing that was never complete', [{ of: pods, state: 'suspended', synced: false }], own, undefined],
  ])('%s', (_what, held, question, answer) => {
    expect(found(shelf(...held).find(question, reader))).toEqual(answer);
  });
});

it('proves absence only where it was complete once', () => {
  expect(found(shelf({ of: pods, state: 'filling' }).covering(own))).toBeUndefined();
  expect(found(shelf({ of: pods, state: 'stale' }, { of: own, state: 'filling' }).covering(own))).toEqual(
    pods,
  );
});

it('gives way with what nobody has held for longest', () => {
  const all = shelf(
    { of: pods, unusedMs: 9 },
    { of: own, holds: 0, unusedMs: 1 },
    { of: web, holds: 0, unusedMs: 5 },
  );
  expect(found(all.idlest())).toEqual(web);
  expect(shelf({ of: pods, unusedMs: 9 }).idlest()).toBeUndefined();
  const looked = shelf({ of: pods, holds: 0, unusedMs: 9 }, { of: own, holds: 0, followed: false });
  expect(found(looked.idlest())).toEqual(own);
  expect(found(looked.idlest(({ idleness }) => idleness.followed))).toEqual(pods);
});

it('forgets what is taken away', () => {
  const all = shelf({ of: own });
  const one = made({ of: pods });
  all.add(one);
  expect([all.size, all.has(one)]).toEqual([2, true]);
  all.delete(one);
  expect([all.size, all.has(one), found(all.find(web, { own: nodeSponsor, offline: false }))]).toEqual([
    1,
    false,
    undefined,
  ]);
});
