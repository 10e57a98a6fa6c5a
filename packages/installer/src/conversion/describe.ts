import type { PlannedChange } from '../command/index.ts';
import type { Step } from '../steps/index.ts';

/** For people: what steps do, with what changes in files. */
export function describeSteps(steps: readonly Step[]): readonly PlannedChange[] {
  return steps.map(({ kind }) => ({ what: kind }));
}
