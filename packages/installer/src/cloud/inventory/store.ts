import { managerNamespace } from '@selvedge/api';
import { SelvedgeError, hasCode } from '@selvedge/kit';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';
import { z } from 'zod';
import { fieldManager } from '../../changes/index.ts';
import type { Inventory } from './types.ts';

export const inventoryName = 'selvedge-install';

/** Where it is. */
export const inventoryAt = { namespace: managerNamespace, name: inventoryName } as const;

const key = 'inventory.json';

const place = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  plural: z.string(),
  namespace: z.string().optional(),
  name: z.string(),
});
const entry = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('made'), place, uid: z.string().optional() }),
  z.object({
    kind: z.literal('changed'),
    place,
    uid: z.string(),
    before: z.record(z.string(), z.unknown()),
    after: z.string().optional(),
  }),
  z.object({ kind: z.literal('text'), place, key: z.string(), text: z.string() }),
  z.object({
    kind: z.literal('machine'),
    phase: z.enum(['manager', 'egress']),
    name: z.string(),
    addresses: z.array(z.string()),
  }),
]);
const schema = z.object({
  version: z.string(),
  mode: z.enum(['deployment', 'unit']),
  complete: z.boolean(),
  tunnelServers: z.array(z.string()),
  entries: z.array(entry),
});

function parse(text: string | undefined): Inventory {
  try {
    return schema.parse(JSON.parse(text ?? ''));
  } catch (cause) {
    throw new SelvedgeError(`the ConfigMap ${inventoryAt.namespace}/${inventoryAt.name} cannot be read`, {
      code: 'Corrupt',
      cause,
      hint: 'it is the inventory of what was installed: restore it, or uninstall by hand (docs/tasks/cloud-manager.md, "Remove everything")',
    });
  }
}

/** The inventory that it holds. Throws `Corrupt` if it cannot be read, or holds none. */
export const inventoryIn = ({ data }: Pick<ConfigMap, 'data'>): Inventory => parse(data?.[key]);

/** The inventory in the cluster. One writer: a second one at the same time is refused. */
export interface InventoryStore {
  readonly inventory: Inventory | undefined;
  /** Throws `Conflict` if another run wrote since. */
  write(inventory: Inventory): Promise<void>;
  remove(): Promise<void>;
}

function beside(cause: unknown): SelvedgeError {
  return new SelvedgeError('another run is changing the cloud side at the same time', {
    code: 'Conflict',
    cause,
    hint: `wait until it ends, then run the same command again; both write the ConfigMap ${inventoryAt.namespace}/${inventoryAt.name}`,
  });
}

/** Opens it, or nothing if there is none. Throws `Corrupt` if it cannot be read. */
export async function openInventory(
  cluster: Pick<KubeClient, 'get' | 'create' | 'replace' | 'delete'>,
  signal: AbortSignal,
): Promise<InventoryStore> {
  let stored: ConfigMap | undefined = await ifFound(
    cluster.get(resources.configMaps, inventoryAt, { signal }),
  );
  let inventory = stored && inventoryIn(stored);
  const options = { signal, fieldManager };
  return {
    get inventory() {
      return inventory;
    },
    async write(next) {
      const data = { [key]: `${JSON.stringify(next, null, 1)}\n` };
      const labels = { 'app.kubernetes.io/managed-by': fieldManager };
      const object: ConfigMap = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { ...inventoryAt, labels },
        data,
      };
      try {
        stored =
          stored === undefined
            ? await cluster.create(resources.configMaps, object, options)
            : await cluster.replace(resources.configMaps, { ...stored, data }, options);
      } catch (error) {
        throw hasCode(error, 'Conflict', 'AlreadyExists') ? beside(error) : error;
      }
      inventory = next;
    },
    async remove() {
      if (stored === undefined) return;
      await cluster.delete(resources.configMaps, inventoryAt, { signal });
      [stored, inventory] = [undefined, undefined];
    },
  };
}
