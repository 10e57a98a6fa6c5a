export { edgeLiteUnit, type EdgeLiteRole, type EdgeLiteUnitOptions } from './edge-lite-unit.ts';
