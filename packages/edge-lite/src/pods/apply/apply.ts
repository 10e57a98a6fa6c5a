import { isAbort } from '@selvedge/kit';

import type { Step } from '../plan/index.ts';
import { type ApplyDeps, type StepContext, type StepResult, done } from './context.ts';
import { createSandbox, prepareVolumes, removeContainer, removeVolumes } from './pod-steps.ts';
import { startContainer } from './start-container.ts';
import { stopContainer } from './stop-container.ts';

/** Steps that change something here; the others are the worker's to see to. */
export type ActiveStep = Exclude<
  Step,
  { readonly kind: 'wait-for-backoff' | 'wait-for-network' | 'report-terminated' }
>;

export function isActive(step: Step): step is ActiveStep {
  return (
    step.kind !== 'wait-for-backoff' && step.kind !== 'wait-for-network' && step.kind !== 'report-terminated'
  );
}

async function execute(deps: ApplyDeps, step: ActiveStep, context: StepContext): Promise<StepResult> {
  const { runtime } = deps;
  switch (step.kind) {
    case 'prepare-volumes':
      return prepareVolumes(deps, context);
    case 'create-sandbox':
      return createSandbox(deps, step.attempt, context);
    case 'start-container':
      return startContainer(deps, step, context);
    case 'stop-container':
      return stopContainer(deps, step, context);
    case 'remove-container':
      return removeContainer(deps, step, context);
    case 'stop-sandbox':
      return runtime.stopSandbox(step.sandboxId, context.signal).then(() => done);
    case 'remove-sandbox':
      return runtime.removeSandbox(step.sandboxId, context.signal).then(() => done);
    case 'remove-volumes':
      return removeVolumes(deps, context);
  }
}

/**
 * Does one step. What goes wrong is a result, not a rejection, so that the round can decide; it rejects only when the
 * work ends or the plan is out of date.
 */
export async function apply(deps: ApplyDeps, step: ActiveStep, context: StepContext): Promise<StepResult> {
  try {
    return await execute(deps, step, context);
  } catch (error) {
    if (isAbort(error, context.signal) || isAbort(error, context.interrupt)) throw error;
    return { kind: 'failed', error };
  }
}
