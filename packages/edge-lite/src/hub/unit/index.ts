export { createUnitFollower, type UnitFollowerDeps } from './follower.ts';
export { createUnit, type Unit } from './unit.ts';
