import type { Step } from '../steps/index.ts';
import type { PlannedChange } from './plan.ts';

type Told = PlannedChange | string | undefined;

/**
 * How a command tells its steps before they are done or undone, by their kind. What is not in the table, or tells nothing, only
 * clears up after the others.
 */
export type StepWords = {
  readonly [K in Step['kind']]?: (step: Extract<Step, { kind: K }>) => Told;
};

/** What steps do, for people. Pure. */
export function changesIn(steps: readonly Step[], words: StepWords): readonly PlannedChange[] {
  return steps.flatMap((step) => {
    // The table has for each kind the words of that kind.
    const tell = words[step.kind] as ((one: Step) => Told) | undefined;
    const told = tell?.(step);
    if (told === undefined) return [];
    return [typeof told === 'string' ? { what: told } : told];
  });
}
