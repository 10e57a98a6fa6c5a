import type { Step } from './types.ts';

/** A step for people, in a few words: `file /etc/selvedge/edge-lite.yaml`, `restart kubelet.service`. */
export function stepTitle(step: Step): string {
  if ('path' in step) return `${step.kind} ${step.path}`;
  return 'name' in step ? `${step.kind} ${step.name}` : step.kind;
}
