import { labels } from '@selvedge/api';
import { type KubeClient, type KubeObject, type Resource, resources } from '@selvedge/kube';
import { type Inventory, type InventoryEntry, placeIn, placeKey } from '../inventory/index.ts';

const namespace = 'kube-public';
/** Where `token create` makes what joining needs. */
const places: readonly (readonly [resource: Resource<KubeObject>, at: { readonly namespace?: string }])[] = [
  [resources.clusterRoleBindings, {}],
  [resources.configMaps, { namespace }],
  [resources.roles, { namespace }],
  [resources.roleBindings, { namespace }],
];

/**
 * What bears our label and no inventory tells of: `token create` made it before there was one, or was interrupted. Bootstrap
 * tokens are none of it: `token delete`, and their expiry, take those away.
 */
export async function adoptLabelled(
  inventory: Inventory | undefined,
  { cluster, signal }: { readonly cluster: Pick<KubeClient, 'listAll'>; readonly signal: AbortSignal },
): Promise<readonly InventoryEntry[]> {
  const known = new Set(
    (inventory?.entries ?? []).flatMap((one) => (one.kind === 'made' ? [placeKey(one.place)] : [])),
  );
  const labelSelector = `${labels.managedBy}=selvedge`;
  const found = places.map(async ([resource, at]) => {
    const { items } = await cluster.listAll(resource, { ...at, labelSelector, metadataOnly: true, signal });
    return items.map((one) => ({ place: placeIn(resource, one), uid: one.metadata.uid }));
  });
  return (await Promise.all(found))
    .flat()
    .filter(({ place }) => !known.has(placeKey(place)))
    .map((one) => ({ kind: 'made', ...one }));
}
