export { contentOf, differences, hashOfContent } from './content.ts';
export { liveAt } from './live-at.ts';
export { placeIn, placeKey, placeOf, refOf, resourceAt } from './place.ts';
export { settleEntries } from './settle.ts';
export { fieldManager } from '../../changes/index.ts';
export { inventoryAt, inventoryIn, inventoryName, openInventory, type InventoryStore } from './store.ts';
export type { Inventory, InventoryEntry, Place } from './types.ts';
