export { apply, isActive, type ActiveStep } from './apply.ts';
export type { ApplyDeps, StepContext, StepResult } from './context.ts';
export type { ContainerRequest, HookTarget, Hooks, LogOf, PodBuilder, PodLogs } from './ports.ts';
export { sayAbout } from './say.ts';
export { createPodBuilder, type PodBuilderDeps, type PodBuilderOptions } from './builder.ts';
