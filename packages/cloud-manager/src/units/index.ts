export { createUnits } from './units.ts';
