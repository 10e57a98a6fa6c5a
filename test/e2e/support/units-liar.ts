import { autonomousCondition, autonomyAnnotations, labels } from '@selvedge/api';
import { type KubeClient, type KubeObject, type Resource, mergePatch, resources } from '@selvedge/kube';
import { strategicMergePatch } from '@selvedge/kube';
import { expect } from 'vitest';
import { type UnitBed, edgeNodeResource, edgeUnitResource } from './unit-bed.ts';
import { nodeNow } from './units-scene.ts';

const forever = { spec: { autonomy: 'forever' } };
const forgedFate = { status: { state: 'Dead', since: '2026-01-01T00:00:00Z', reason: 'SeenDead' } };

/** What no node may write. */
function refusals(node: string, unit: string, others: string): readonly (readonly [string, Attempt])[] {
  const write =
    (resource: Resource<KubeObject>, name: string, body: object, subresource?: string): Attempt =>
    (client, signal) =>
      client.patch(resource, { name }, { patch: mergePatch(body), subresource, signal });
  const mine = { metadata: { labels: { [labels.nodeUnit]: others } } };
  const taints = { spec: { taints: [{ key: 'mine', effect: 'NoExecute' }] } };
  const members = { status: { members: [] } };
  return [
    ['its unit, on the Node', write(resources.nodes, node, mine)],
    ['its taints', write(resources.nodes, node, taints)],
    ['the labels of another Node', write(resources.nodes, others, { metadata: { labels: { a: 'b' } } })],
    ['its policy', write(edgeNodeResource, node, forever)],
    ['what it is taken for', write(edgeNodeResource, node, forgedFate, 'status')],
    ['who may be replaced', write(edgeNodeResource, node, { metadata: { annotations: consent } })],
    ['the policy of its unit', write(edgeUnitResource, unit, forever)],
    ['the members of its unit', write(edgeUnitResource, unit, members, 'status')],
    ['a unit of its own', (client, signal) => client.create(edgeUnitResource, unitOf(node), { signal })],
    ['the end of its unit', (client, signal) => client.delete(edgeUnitResource, { name: unit }, { signal })],
  ];
}

type Attempt = (client: KubeClient, signal: AbortSignal) => Promise<unknown>;

const consent = { [autonomyAnnotations.failover]: 'true', [autonomyAnnotations.allowDeletion]: 'true' };
const unitOf = (node: string): KubeObject =>
  ({ metadata: { name: 'mine' }, spec: { members: { names: [node] } } }) as KubeObject;

/** What it may write of its own Node: a zone, annotations of ours, and that it is cut off. */
async function writeWhatItMay(client: KubeClient, node: string, signal: AbortSignal): Promise<void> {
  const metadata = { labels: { [labels.zone]: 'elsewhere' }, annotations: consent };
  await client.patch(resources.nodes, { name: node }, { patch: mergePatch({ metadata }), signal });
  const condition = { type: autonomousCondition, status: 'True', reason: 'Dead', message: 'I say so' };
  const patch = strategicMergePatch({ status: { conditions: [condition] } });
  await client.patch(resources.nodes, { name: node }, { patch, subresource: 'status', signal });
}

/** What the cloud takes a node for and gives it. */
async function takenFor(here: UnitBed, node: string, unit: string): Promise<unknown> {
  const { client, signal } = here.site;
  const { spec, status } = await here.edgeNode(node);
  const { spec: wanted, status: seen } = await client.get(edgeUnitResource, { name: unit }, { signal });
  return { spec, state: status?.state, pushed: status?.unit, wanted, members: seen?.members };
}

/** A node that says with its own certificate what it would like to be taken for. */
export async function playLiar(here: UnitBed, node: string, { unit, others }: LiarOptions): Promise<void> {
  const { site } = here;
  const { signal } = site;
  const before = await takenFor(here, node, unit);
  const client = await here.clientOf(node);
  try {
    for (const [what, attempt] of refusals(node, unit, others)) {
      const outcome = await attempt(client, signal).catch((error: unknown) => error);
      expect([what, outcome]).toMatchObject([what, { code: 'Forbidden' }]);
    }
    await writeWhatItMay(client, node, signal);
  } finally {
    await client.close();
  }
  await site.until({ what: 'what it wrote is put right' }, async () => {
    const { metadata, status } = await nodeNow(here, node);
    const shown = status?.conditions?.find(({ type }) => type === autonomousCondition);
    return metadata.labels?.[labels.zone] === unit && shown?.status !== 'True';
  });
  expect((await nodeNow(here, node)).spec?.taints).toBeUndefined();
  expect(await takenFor(here, node, unit)).toEqual(before);
}

export interface LiarOptions {
  /** Its unit. */
  readonly unit: string;
  /** A node of another. */
  readonly others: string;
}
