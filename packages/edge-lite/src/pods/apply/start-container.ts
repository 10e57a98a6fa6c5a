import type { ContainerConfig, PodSandboxConfig } from '@selvedge/containerd-grpc-types';
import { hasCode, isAbort } from '@selvedge/kit';
import type { Container } from '@selvedge/kube/types';

import type { ImageResult } from '../images/index.ts';
import type { StartContainer } from '../plan/index.ts';
import { allContainers } from '../spec/index.ts';
import { type ApplyDeps, type StepContext, type StepResult, done } from './context.ts';
import { type Say, runtimeMessage, sayAbout } from './say.ts';

interface Start {
  readonly step: StartContainer;
  readonly context: StepContext;
  readonly container: Container;
  readonly sandboxConfig: PodSandboxConfig;
  readonly say: Say;
}

/** A start that failed in a way that the pod's status shows. */
function waiting(start: Start, reason: string, error: unknown): StepResult {
  const message = runtimeMessage(error);
  start.say({ type: 'Warning', reason: 'Failed', message: `Error: ${message}` });
  return { kind: 'waiting', waiting: { reason, message } };
}

async function findImage(deps: ApplyDeps, start: Start): Promise<ImageResult> {
  const { container, context, sandboxConfig, say } = start;
  const secrets = deps.builder.pullSecrets(context.pod);
  return deps.images.ensure({ pod: context.pod, container, secrets, sandboxConfig, say }, context.interrupt);
}

async function configure(
  deps: ApplyDeps,
  start: Start,
  image: Extract<ImageResult, { kind: 'present' }>,
): Promise<ContainerConfig | StepResult> {
  const { pod, podIPs, signal } = start.context;
  const { container } = start;
  const request = {
    pod,
    container,
    podIPs,
    restartCount: start.step.restartCount,
    image: { ref: image.ref, record: image.image },
  };
  try {
    return await deps.builder.containerConfig(request, signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    // What it refers to is still on its way: that is no mistake of the pod's.
    if (hasCode(error, 'Unavailable') && start.context.failures === 0) return { kind: 'failed', error };
    return waiting(start, 'CreateContainerConfigError', error);
  }
}

async function create(deps: ApplyDeps, start: Start, config: ContainerConfig): Promise<StepResult> {
  const { context, step, say, sandboxConfig } = start;
  const { signal } = context;
  let id: string;
  try {
    id = await deps.runtime.createContainer({ sandboxId: step.sandboxId, config, sandboxConfig }, signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    return waiting(start, 'CreateContainerError', error);
  }
  say({ type: 'Normal', reason: 'Created', message: 'Container created' });
  try {
    await deps.runtime.startContainer(id, signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    return waiting(start, 'RunContainerError', error);
  }
  say({ type: 'Normal', reason: 'Started', message: 'Container started' });
  const path = `${sandboxConfig.logDirectory}/${config.logPath}`;
  await deps.logs.link({ pod: context.pod, container: step.container, id, path });
  return afterStart(deps, start, id);
}

async function afterStart(deps: ApplyDeps, start: Start, containerId: string): Promise<StepResult> {
  const { container, context, say } = start;
  if (container.lifecycle?.postStart === undefined) return done;
  const target = { pod: context.pod, container, containerId, podIP: context.podIPs[0] ?? '' };
  try {
    await deps.hooks.postStart(target, context.interrupt);
    return done;
  } catch (error) {
    if (isAbort(error, context.interrupt)) return done;
    // The event does not repeat what the hook said: it may hold a secret.
    say({ type: 'Warning', reason: 'FailedPostStartHook', message: 'PostStartHook failed' });
    say({ type: 'Normal', reason: 'Killing', message: 'FailedPostStartHook' });
    const graceSeconds = Math.max(2, context.pod.spec?.terminationGracePeriodSeconds ?? 30);
    await deps.runtime.stopContainer({ id: containerId, graceSeconds }, context.interrupt);
    return { kind: 'waiting', waiting: { reason: 'PostStartHookError', message: runtimeMessage(error) } };
  }
}

/** Sees to the image, then makes and starts the container. What is in the way shows in the container's status. */
export async function startContainer(
  deps: ApplyDeps,
  step: StartContainer,
  context: StepContext,
): Promise<StepResult> {
  const container = allContainers(context.pod).find(({ name }) => name === step.container);
  const sandbox = context.observed.sandboxes.find(({ id }) => id === step.sandboxId);
  if (container === undefined || sandbox === undefined) return done;
  const start: Start = {
    step,
    context,
    container,
    sandboxConfig: deps.builder.sandbox(context.pod, sandbox.attempt).config,
    say: sayAbout(deps.events, context.pod, step.container),
  };
  const image = await findImage(deps, start);
  if (image.kind === 'missing') {
    start.say({ type: 'Warning', reason: 'Failed', message: `Error: ${image.reason}` });
    const { reason, message, retryAtMs } = image;
    return { kind: 'waiting', waiting: { reason, message }, retryAtMs };
  }
  const config = await configure(deps, start, image);
  if ('kind' in config) return config;
  return deps.starts.run(context.signal, () => create(deps, start, config));
}
