import type { Container, ContainerRestartRule, PodSpec } from '@selvedge/kube/types';

/** An init container that goes on running beside the others (a sidecar). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

function matches(rule: ContainerRestartRule, exitCode: number): boolean {
  const listed = rule.exitCodes?.values?.includes(exitCode) === true;
  return rule.exitCodes?.operator === 'NotIn' ? !listed : rule.exitCodes?.operator === 'In' && listed;
}

/**
 * Whether a container that ended is to run again: the container's own rules and policy, else the pod's.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts
 */
export function restartsAfter(
  container: Container,
  spec: Pick<PodSpec, 'restartPolicy'>,
  exitCode: number,
): boolean {
  if (container.restartPolicy !== undefined) {
    const rule = container.restartPolicyRules?.find((one) => matches(one, exitCode));
    if (rule?.action === 'Restart') return true;
  }
  const policy = container.restartPolicy ?? spec.restartPolicy;
  return policy === 'OnFailure' ? exitCode !== 0 : policy !== 'Never';
}

/** Whether a container that had to be killed is to run again, for then there is no exit code to ask about. */
export function restartsAfterKill(container: Container, spec: Pick<PodSpec, 'restartPolicy'>): boolean {
  return (container.restartPolicy ?? spec.restartPolicy) !== 'Never';
}
