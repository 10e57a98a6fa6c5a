import { hasCode, isAbort } from '@selvedge/kit';
import { podRef } from '../spec/index.ts';

import { type ApplyDeps, type StepContext, type StepResult, done } from './context.ts';
import { runtimeMessage, sayAbout } from './say.ts';

/** What a pod's volumes refer to may be on its way; only if it stays away is that worth an event. */
export async function prepareVolumes(deps: ApplyDeps, context: StepContext): Promise<StepResult> {
  try {
    await deps.volumes.prepare(context.pod, context.interrupt);
    return done;
  } catch (error) {
    if (isAbort(error, context.interrupt)) throw error;
    const quiet = hasCode(error, 'Unavailable') && context.failures === 0;
    const say = sayAbout(deps.events, context.pod);
    if (!quiet) say({ type: 'Warning', reason: 'FailedMount', message: runtimeMessage(error) });
    return { kind: 'failed', error };
  }
}

async function ensureCgroup(deps: ApplyDeps, context: StepContext): Promise<StepResult> {
  try {
    await deps.cgroups.ensure(context.pod, context.signal);
    return done;
  } catch (error) {
    if (isAbort(error, context.signal)) throw error;
    const message = `unable to ensure pod container exists: ${runtimeMessage(error)}`;
    sayAbout(deps.events, context.pod)({ type: 'Warning', reason: 'FailedCreatePodContainer', message });
    return { kind: 'failed', error };
  }
}

export async function createSandbox(
  deps: ApplyDeps,
  attempt: number,
  context: StepContext,
): Promise<StepResult> {
  const say = sayAbout(deps.events, context.pod);
  if (attempt > 0) {
    const message = 'Pod sandbox changed, it will be killed and re-created.';
    say({ type: 'Normal', reason: 'SandboxChanged', message });
  }
  const grouped = await ensureCgroup(deps, context);
  if (grouped.kind !== 'done') return grouped;
  await deps.logs.prepare(context.pod);
  try {
    const { config, events } = deps.builder.sandbox(context.pod, attempt);
    for (const event of events) say(event);
    await deps.starts.run(context.signal, () => deps.runtime.runSandbox({ config }, context.signal));
    return done;
  } catch (error) {
    if (isAbort(error, context.signal)) throw error;
    const message = `Failed to create pod sandbox: ${runtimeMessage(error)}`;
    say({ type: 'Warning', reason: 'FailedCreatePodSandBox', message });
    return { kind: 'failed', error };
  }
}

/** The pod's volumes, its cgroup, and what is remembered of its images. Nothing of it runs any more. */
export async function removeVolumes(deps: ApplyDeps, context: StepContext): Promise<StepResult> {
  const { uid } = podRef(context.pod);
  await deps.volumes.remove(uid, context.signal);
  await deps.cgroups.remove(uid, context.signal);
  deps.images.forget(uid);
  return done;
}

export async function removeContainer(
  deps: ApplyDeps,
  step: { readonly containerId: string; readonly container: string },
  context: StepContext,
): Promise<StepResult> {
  await deps.runtime.removeContainer(step.containerId, context.signal);
  const record = context.observed.containers.find(({ id }) => id === step.containerId);
  if (record !== undefined && record.state.kind === 'exited') {
    const of = { pod: context.pod, container: step.container, id: record.id, path: record.logPath };
    await deps.logs.removeContainer(of);
  }
  return done;
}
