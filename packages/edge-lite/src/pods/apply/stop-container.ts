import { isAbort, withDeadline } from '@selvedge/kit';

import type { StopContainer } from '../plan/index.ts';
import { allContainers } from '../spec/index.ts';
import { type ApplyDeps, type StepContext, type StepResult, done } from './context.ts';
import { type Say, sayAbout } from './say.ts';

/** The shortest time that the kubelet leaves after a hook. */
const minGraceSeconds = 2;

/** Runs the hook for at most the grace period; whole seconds that it took. */
async function preStop(
  deps: ApplyDeps,
  step: StopContainer,
  { context, say }: { readonly context: StepContext; readonly say: Say },
): Promise<number> {
  const container = allContainers(context.pod).find(({ name }) => name === step.container);
  if (container?.lifecycle?.preStop === undefined) return 0;
  const target = {
    pod: context.pod,
    container,
    containerId: step.containerId,
    podIP: context.podIPs[0] ?? '',
  };
  const begun = deps.clock.monotonicMs();
  const limit = { what: 'the preStop hook', timeoutMs: step.graceSeconds * 1000, signal: context.interrupt };
  try {
    await withDeadline(limit, deps.clock, (signal) => deps.hooks.preStop(target, signal));
  } catch (error) {
    if (isAbort(error, context.interrupt)) throw error;
    // The event does not repeat what the hook said: it may hold a secret.
    say({ type: 'Warning', reason: 'FailedPreStopHook', message: 'PreStopHook failed' });
    deps.log.debug('preStop hook failed', { container: step.container, error });
  }
  return Math.floor((deps.clock.monotonicMs() - begun) / 1000);
}

/** Lets a container end: its hook, its stop signal, and what is left of the grace period before it is killed. */
export async function stopContainer(
  deps: ApplyDeps,
  step: StopContainer,
  context: StepContext,
): Promise<StepResult> {
  const say = sayAbout(deps.events, context.pod, step.container);
  say({ type: 'Normal', reason: 'Killing', message: step.message });
  const spent = await preStop(deps, step, { context, say });
  const graceSeconds = Math.max(minGraceSeconds, step.graceSeconds - spent);
  await deps.runtime.stopContainer({ id: step.containerId, graceSeconds }, context.interrupt);
  return done;
}
