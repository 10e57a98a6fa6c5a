export { provideBaseRoot } from './base-root.ts';
export { createMachine } from './machine.ts';
export type { ExecOptions, Machine, MachineDeps, MachineOptions, UnitOptions } from './types.ts';
