export { timestamp, transitioned, type Condition, type NewCondition } from './condition.ts';
export { hasFinalizer, planUnit, type UnitStep } from './plan-unit.ts';
export type { MemberFacts, UnitFacts } from './unit-status.ts';
