export { provideBaseRoot } from './base-root.ts';
export type { Argv } from './doors.ts';
export { enterMachine, machineSocket } from './enter.ts';
export { machineFolders } from './host.ts';
export { createMachine } from './machine.ts';
export type { ExecOptions, Machine, MachineDeps, MachineOptions, UnitOptions } from './types.ts';
