export { provideBaseRoot } from './base-root.ts';
export type { Argv } from './doors.ts';
export { enterMachine, machineSocket } from './enter.ts';
export { machineFolders } from './host.ts';
export {
  diffInventories,
  takeInventory,
  type Inventory,
  type InventoryChange,
  type InventoryOptions,
  type VolatilePath,
} from './inventory/index.ts';
export { createMachine } from './machine.ts';
export type { ExecOptions, Machine, MachineDeps, MachineOptions, UnitOptions } from './types.ts';
