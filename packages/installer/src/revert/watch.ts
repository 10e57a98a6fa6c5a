import type { Clock } from '@selvedge/kit';
import type { Step, StepEvent } from '../steps/index.ts';

/** Looks on while steps are done. */
export interface StepsWatch {
  readonly onEvent: (event: StepEvent) => void;
  /** How long units took to start and to stop. */
  readonly unitsMs: number;
  /** When the kubelet was started again, if it was; milliseconds since 1970, here. */
  readonly restartedAt: number | undefined;
}

const takesItsTime = (step: Step): boolean => step.kind === 'restart' || step.kind === 'unit';
/** All that is started again on a node is its kubelet, or what has it inside, and possibly a kube-proxy. */
export const isKubelet = (step: Step): boolean => step.kind === 'restart' && !step.name.includes('proxy');

function titleOf(step: Step): string {
  if ('path' in step) return `${step.kind} ${step.path}`;
  return 'name' in step ? `${step.kind} ${step.name}` : step.kind;
}

export function watchSteps(clock: Clock, onStep: (text: string) => void): StepsWatch {
  let [unitsMs, begunMs] = [0, 0];
  let restartedAt: number | undefined;
  return {
    get unitsMs() {
      return unitsMs;
    },
    get restartedAt() {
      return restartedAt;
    },
    onEvent({ kind, direction, at, of, step }) {
      if (kind === 'begin') {
        begunMs = clock.monotonicMs();
        const acts = step.kind === 'restart' && step.on === direction;
        if (acts && isKubelet(step)) restartedAt = clock.now();
        onStep(`${direction === 'undo' ? 'back: ' : ''}${titleOf(step)} (${at + 1} of ${of})`);
      } else if (takesItsTime(step)) {
        unitsMs += clock.monotonicMs() - begunMs;
      }
    },
  };
}
