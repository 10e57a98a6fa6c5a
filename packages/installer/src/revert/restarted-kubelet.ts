import type { RunState } from '../journal/index.ts';
import type { Step } from '../steps/index.ts';

/** All that is started again on a node is its kubelet, or what has it inside, and possibly a kube-proxy. */
const isKubelet = (step: Step): boolean => step.kind === 'restart' && !step.name.includes('proxy');

/** The unit of the kubelet, if a run got as far as starting it again. */
export function restartedKubelet(state: RunState): string | undefined {
  if (state.kind === 'none') return undefined;
  const begun = state.steps.find(({ step, progress }) => isKubelet(step) && progress.kind !== 'todo');
  return begun?.step.kind === 'restart' ? begun.step.name : undefined;
}
