export { readMachine, type Machine, type MachineOptions } from './read-machine.ts';
