import type { Clock } from '@selvedge/kit';
import { type Step, type StepEvent, stepTitle } from '../steps/index.ts';

/** Looks on while steps are done. */
export interface StepsWatch {
  readonly onEvent: (event: StepEvent) => void;
  /** How long units took to start and to stop. */
  readonly unitsMs: number;
}

const takesItsTime = (step: Step): boolean => step.kind === 'restart' || step.kind === 'unit';

/** A watch that reports each step to `onStep`, `upload /usr/local/bin/edge-lite (5 of 14)`, and adds up the time of units. */
export function watchSteps(clock: Clock, onStep: (text: string) => void): StepsWatch {
  let [unitsMs, begunMs] = [0, 0];
  return {
    get unitsMs() {
      return unitsMs;
    },
    onEvent({ kind, direction, at, of, step }) {
      if (kind === 'begin') {
        begunMs = clock.monotonicMs();
        onStep(`${direction === 'undo' ? 'undo ' : ''}${stepTitle(step)} (${at + 1} of ${of})`);
      } else if (takesItsTime(step)) {
        unitsMs += clock.monotonicMs() - begunMs;
      }
    },
  };
}
