export { createUnit, type UnitCreateOptions, type UnitCreated, type UnitDeps } from './create.ts';
export { listUnits, type UnitInfo, type UnitList } from './list.ts';
export { addMembers } from './membership.ts';
export { moveNode, type NodeMoved, type UnitMoveOptions } from './move.ts';
