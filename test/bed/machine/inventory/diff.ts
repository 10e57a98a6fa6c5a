import { type Facts, type Inventory, type InventoryPart, inventoryParts } from './types.ts';

/** One thing that is not as it was. */
export interface InventoryChange {
  readonly part: InventoryPart;
  /** `/etc/hosts`, `kubelet.service now`. */
  readonly name: string;
  /** Absent: it was not there. */
  readonly before?: string;
  /** Absent: it is gone. */
  readonly after?: string;
}

function changesOf(part: InventoryPart, before: Facts, after: Facts): readonly InventoryChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => ({
      part,
      name,
      ...(before[name] === undefined ? {} : { before: before[name] }),
      ...(after[name] === undefined ? {} : { after: after[name] }),
    }));
}

/** What has changed between two looks at a machine. Empty: nothing. Pure. */
export function diffInventories(before: Inventory, after: Inventory): readonly InventoryChange[] {
  return inventoryParts.flatMap((part) => changesOf(part, before[part], after[part]));
}
