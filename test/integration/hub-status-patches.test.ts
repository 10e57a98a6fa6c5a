import { SelvedgeError, hasCode } from '@selvedge/kit';
import { type KubeObject, type Patch, type Resource, resources } from '@selvedge/kube';
import type { Node, Pod } from '@selvedge/kube/types';
import { fc } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyPatchBody, rebase, replayPatch } from '../../packages/edge-lite/src/hub/merge/index.ts';
import { isSame } from '../../packages/edge-lite/src/hub/merge/three-way.ts';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { type TestClient, connect, startControlPlane } from './kube-world.ts';

const signal = new AbortController().signal;
const rounds = 150;
let controlPlane: PrivateControlPlane;
let admin: TestClient;

type Json = Readonly<Record<string, unknown>>;

interface Kind {
  readonly held: string;
  readonly resource: Resource<KubeObject>;
  readonly at: { readonly namespace?: string; readonly name: string };
  readonly object: KubeObject;
}

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'default', name: 'patched' },
  spec: { containers: [{ name: 'a', image: 'a' }], nodeName: 'patched' },
};
const node: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'patched' } };
const kinds = {
  pod: {
    held: 'v1/pods',
    resource: resources.pods,
    at: { namespace: 'default', name: 'patched' },
    object: pod,
  },
  node: { held: 'v1/nodes', resource: resources.nodes, at: { name: 'patched' }, object: node },
} satisfies Record<string, Kind>;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  admin = await connect(controlPlane.kubeconfig);
  await admin.client.create(resources.nodes, node, { signal });
  await admin.client.create(resources.pods, pod, { signal });
});
afterAll(async () => {
  await admin[Symbol.asyncDispose]();
  await controlPlane.stop();
});

const statusOf = (object: unknown): unknown => (object as Json)['status'];
const read = ({ resource, at }: Kind): Promise<KubeObject> => admin.client.get(resource, at, { signal });

/** The API server's answer; undefined for a refusal. */
async function send({ resource, at }: Kind, patch: Patch): Promise<KubeObject | undefined> {
  const isApply = patch.type.includes('apply');
  const manager = isApply ? { fieldManager: 'test', force: true } : {};
  try {
    return await admin.client.patch(resource, at, { patch, subresource: 'status', signal, ...manager });
  } catch (error) {
    if (hasCode(error, 'Invalid', 'Unsupported')) return undefined;
    throw error;
  }
}

function ours(kind: Kind, before: KubeObject, { type, body }: Patch): KubeObject | undefined {
  try {
    const bytes = Buffer.from(JSON.stringify(body));
    return applyPatchBody(kind.held, before, { contentType: type, bytes });
  } catch (error) {
    if (hasCode(error, 'Invalid')) return undefined;
    throw error;
  }
}

const condition = fc.record(
  {
    type: fc.constantFrom('Ready', 'A', 'B', 'C'),
    status: fc.constantFrom('True', 'False', 'Unknown'),
    reason: fc.constantFrom('X', 'Y'),
    message: fc.constantFrom('', 'm'),
  },
  { requiredKeys: ['type', 'status'] },
);
const byType = { selector: ({ type }: { type: string }) => type, maxLength: 4 };
const conditions = fc.uniqueArray(condition, byType);
const quantities = fc.dictionary(
  fc.constantFrom('cpu', 'memory', 'example.com/x'),
  fc.constantFrom('1', '2'),
  {
    maxKeys: 3,
  },
);
const address = fc.record({
  type: fc.constantFrom('InternalIP', 'Hostname', 'ExternalIP'),
  address: fc.constantFrom('10.0.0.1', '10.0.0.2'),
});
const image = fc.record({
  names: fc.constantFrom(['a'], ['b', 'c']),
  sizeBytes: fc.integer({ min: 1, max: 3 }),
});
/** The API server clears what does not begin with `podIP`. */
const ips = fc.constantFrom(
  { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] },
  { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }, { ip: 'fd00::1' }] },
  { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }] },
  {},
);

const statuses = {
  pod: fc
    .tuple(
      ips,
      fc.record(
        {
          conditions,
          phase: fc.constantFrom('Pending', 'Running'),
          message: fc.constantFrom('m', ''),
          containerStatuses: fc.constantFrom(
            [],
            ...[true, false].map((ready) => [{ name: 'a', image: 'a', imageID: '', ready, restartCount: 0 }]),
          ),
        },
        { requiredKeys: [] },
      ),
    )
    .map(([addresses, rest]) => ({ ...rest, ...addresses })),
  node: fc.record(
    {
      conditions,
      capacity: quantities,
      allocatable: quantities,
      addresses: fc.uniqueArray(address, byType),
      images: fc.array(image, { maxLength: 2 }),
      volumesInUse: fc.subarray(['v', 'w']),
    },
    { requiredKeys: [] },
  ),
};

/** Some fields as null, lists with directives. */
const directed = (status: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.tuple(status, fc.constantFrom('none', 'null', 'replace', 'delete', 'order')).map(([fields, how]) => {
    const list = (fields['conditions'] ?? []) as readonly { readonly type: string }[];
    if (how === 'null') return { ...fields, message: null, capacity: null };
    if (how === 'replace') return { ...fields, conditions: [...list, { $patch: 'replace' }] };
    if (how === 'delete') return { ...fields, conditions: [{ type: 'A', $patch: 'delete' }] };
    if (how !== 'order' || list.length === 0) return fields;
    return { ...fields, '$setElementOrder/conditions': list.map(({ type }) => ({ type })) };
  });

const operation = (fields: readonly string[]): fc.Arbitrary<object> => {
  const path = fc.constantFrom(
    ...fields.map((field) => `/status/${field}`),
    '/status/conditions/0',
    '/status/conditions/-',
    '/status/conditions/-1',
    '/status/conditions/0/reason',
    '/status/none/0',
  );
  return fc.oneof(
    fc.record({
      op: fc.constantFrom('add', 'replace', 'test'),
      path,
      value: fc.oneof(condition, conditions, fc.constant('m')),
    }),
    fc.record({ op: fc.constant('remove'), path }),
    fc.record({ op: fc.constantFrom('copy', 'move'), from: path, path }),
  );
};

/** Nobody applies addresses: the API server clears what does not begin with `podIP` then. */
const withoutAddresses = ({ podIP: _, podIPs: __, ...rest }: Json): Json => rest;

/** Where a Node has none, the API server takes its capacity. */
const withAllocatable = ({ allocatable = {}, ...rest }: Json): Json => ({
  ...rest,
  allocatable: { ...(allocatable as object), pods: '1' },
});

type Body = (kind: Kind, status: Json) => Patch;
const merge: Body = (_kind, status) => ({ type: 'application/merge-patch+json', body: { status } });
const strategic: Body = (_kind, status) => ({
  type: 'application/strategic-merge-patch+json',
  body: { metadata: { labels: { a: 'b' } }, status },
});
const apply: Body = ({ object }, status) => ({
  type: 'application/apply-patch+yaml',
  body: { apiVersion: 'v1', kind: object.kind, metadata: { name: 'patched' }, status },
});

/** Items of lists in any order: an apply keeps another one than a patch. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).toSorted((a, b) => (keyText(a) < keyText(b) ? -1 : 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sorted(inner)]));
}
const keyText = (value: unknown): string => {
  const { type = '', ip = '' } = value as { readonly type?: string; readonly ip?: string };
  return `${type} ${ip}`;
};

/** Throws if the two statuses are not the same to the API. */
function differ(told: object, here: unknown, theirs: unknown): void {
  if (isSame(sorted(statusOf(here)), sorted(statusOf(theirs)))) return;
  const text = JSON.stringify({ ...told, here: statusOf(here), theirs: statusOf(theirs) });
  throw new SelvedgeError(`they differ: ${text}`, { code: 'Internal' });
}

interface Tally {
  accepted: number;
  refused: number;
}

/** Nobody manages any field: the API server takes back what somebody does not apply again. */
function forget({ resource, at }: Kind): Promise<KubeObject> {
  const body = { metadata: { managedFields: [{}] } };
  return admin.client.patch(resource, at, { patch: { type: 'application/merge-patch+json', body }, signal });
}

/** Sends one patch after another; each begins where the one before ended. */
async function compare(kind: Kind, patches: readonly Patch[]): Promise<Tally> {
  const tally = { accepted: 0, refused: 0 };
  for (const patch of patches) {
    const before = await forget(kind);
    const [theirs, here] = [await send(kind, patch), ours(kind, before, patch)];
    if (theirs === undefined) {
      // It validates as well, which we do not.
      tally.refused += 1;
      continue;
    }
    tally.accepted += 1;
    differ({ before: statusOf(before), patch: patch.body }, here, theirs);
  }
  return tally;
}

describe.each(['pod', 'node'] as const)('a patch of the status of a %s', (name) => {
  const kind: Kind = kinds[name];
  const sample = <T>(arbitrary: fc.Arbitrary<T>, seed: number): readonly T[] =>
    fc.sample(arbitrary, { seed, numRuns: rounds });

  test.each([
    ['merge patch', merge, statuses[name], 1],
    ['strategic merge patch', strategic, directed(statuses[name]), 2],
    ['apply', apply, statuses[name].map(withoutAddresses), 3],
  ] as const)('of type %s comes out as the API server has it', async (_, body, arbitrary, seed) => {
    const patches = sample<Json>(arbitrary, seed).map((status) => body(kind, status));
    const { accepted } = await compare(kind, patches);
    expect(accepted).toBeGreaterThan(rounds / 4);
  });

  test('of JSON operations comes out as the API server has it', async () => {
    const fields = name === 'pod' ? ['conditions', 'message'] : ['conditions'];
    const operations = sample(fc.array(operation(fields), { minLength: 1, maxLength: 3 }), 4);
    const start = {
      type: 'application/merge-patch+json',
      body: { status: { conditions: [{ type: 'A', status: 'True' }] } },
    };
    const patches = operations.flatMap((body) => [start, { type: 'application/json-patch+json', body }]);
    const { accepted } = await compare(kind, patches);
    expect(accepted).toBeGreaterThan(rounds + rounds / 10);
  });

  test('that is replayed leads to what was shown here, once', async () => {
    const one = statuses[name].map(withAllocatable);
    const all = sample(fc.tuple(one, one, one), 5);
    let sent = 0;
    for (const [anchorStatus, currentStatus, upstreamStatus] of all) {
      const put = async (status: Json): Promise<KubeObject | undefined> => {
        const before = await read(kind);
        const body = [{ op: 'replace', path: '/status', value: { ...immutable(before), ...status } }];
        return send(kind, { type: 'application/json-patch+json', body });
      };
      const anchor = await put(anchorStatus);
      const current = await put(currentStatus);
      const upstream = await put(upstreamStatus);
      if (anchor === undefined || current === undefined || upstream === undefined) continue;
      const three = { anchor, current, upstream };
      const body = replayPatch(kind.held, three);
      const shown = rebase(kind.held, { anchor, current, base: upstream });
      const after =
        body === undefined
          ? upstream
          : await send(kind, { type: 'application/strategic-merge-patch+json', body });
      if (after === undefined) continue;
      sent += 1;
      differ({ three: Object.values(three).map(statusOf), body }, shown, after);
      expect(replayPatch(kind.held, { anchor, current, upstream: after })).toBeUndefined();
    }
    expect(sent).toBeGreaterThan(rounds / 4);
  });
});

/** Set when the pod is made, for good. */
function immutable(object: KubeObject): Json {
  const { qosClass } = (statusOf(object) ?? {}) as Json;
  return qosClass === undefined ? {} : { qosClass };
}
