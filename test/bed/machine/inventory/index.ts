export { diffInventories, type InventoryChange } from './diff.ts';
export { takeInventory, type InventoryOptions } from './inventory.ts';
export type { Facts, Inventory, InventoryPart, VolatilePath } from './types.ts';
