import type { Toleration } from '@selvedge/kube/types';

const taints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const;

const isFor = (said: string | undefined, word: string): boolean => said === word || (said ?? '') === '';

/** Source: v1 Toleration.ToleratesTaint, for a taint without a value. */
function tolerates({ key, operator, effect, value }: Toleration, taint: string): boolean {
  if (!isFor(effect, 'NoExecute') || !isFor(key, taint)) return false;
  return operator === 'Exists' || (key === taint && isFor(value, ''));
}

/** The first that counts is cloud-manager's, and is not what the pod has itself. Source: docs/adr/0010. */
function isHeld(tolerations: readonly Toleration[], taint: string): boolean {
  const [first, second] = tolerations.filter((one) => tolerates(one, taint));
  const isOurs = first?.operator === 'Equal' && first.key === taint;
  return isOurs && second !== undefined && first.tolerationSeconds !== second.tolerationSeconds;
}

/** Whether a pod is evicted as it said itself. Pure. */
export const hasItsOwn = (tolerations: readonly Toleration[]): boolean =>
  !taints.some((taint) => isHeld(tolerations, taint));
