import { managerNamespace } from '@selvedge/api';
import { type KubeClient, type KubeObject, type Resource, resources } from '@selvedge/kube';
import { managedSelector as labelSelector } from '../../changes/index.ts';
import { type Inventory, type InventoryEntry, placeIn, placeKey } from '../inventory/index.ts';

/** Where `token create` makes what joining needs: cluster-info, the right to read kubelet-config, the CA of the tunnel. */
const namespaces = ['kube-public', 'kube-system', managerNamespace] as const;
const places: readonly (readonly [resource: Resource<KubeObject>, at: { readonly namespace?: string }])[] = [
  [resources.clusterRoleBindings, {}],
  ...[resources.configMaps, resources.roles, resources.roleBindings].flatMap((resource) =>
    namespaces.map((namespace) => [resource, { namespace }] as const),
  ),
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
  const found = places.map(async ([resource, at]) => {
    const { items } = await cluster.listAll(resource, { ...at, labelSelector, metadataOnly: true, signal });
    return items.map((one) => ({ place: placeIn(resource, one), uid: one.metadata.uid }));
  });
  return (await Promise.all(found))
    .flat()
    .filter(({ place }) => !known.has(placeKey(place)))
    .map((one) => ({ kind: 'made', ...one }));
}
