import type { Toleration } from '@selvedge/kube/types';

/** For how long a pod's tolerations of the taints of a lost node are to hold. */
export type Tolerance =
  /** As the pod says itself. */
  | { readonly kind: 'own' }
  /** At least so long; what is longer stays. */
  | { readonly kind: 'period'; readonly seconds: number }
  | { readonly kind: 'forever' };

const effect = 'NoExecute';
/** What the node-lifecycle controller sets on nodes whose Ready is False or Unknown. */
const keys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const;
type Key = (typeof keys)[number];

const isBlank = (text: string | undefined): boolean => text === undefined || text === '';

/** Whether it tolerates the taint, which has no value. Source: `k8s.io/api/core/v1`, `Toleration.ToleratesTaint`. */
function tolerates(toleration: Toleration, key: Key): boolean {
  if (!isBlank(toleration.effect) && toleration.effect !== effect) return false;
  if (!isBlank(toleration.key) && toleration.key !== key) return false;
  if (toleration.operator === 'Exists') return true;
  return (isBlank(toleration.operator) || toleration.operator === 'Equal') && isBlank(toleration.value);
}

/** The form of those that we add: by the value, which these taints do not have. People write `Exists`. */
const isOfOurForm = ({ operator, value, ...toleration }: Toleration, key: Key): boolean =>
  toleration.key === key && toleration.effect === effect && operator === 'Equal' && isBlank(value);

const secondsOf = ({ tolerationSeconds }: Toleration): number =>
  tolerationSeconds ?? Number.POSITIVE_INFINITY;

function wantedSeconds(tolerance: Tolerance, own: number): number {
  if (tolerance.kind === 'own') return own;
  return tolerance.kind === 'forever' ? Number.POSITIVE_INFINITY : Math.max(own, tolerance.seconds);
}

const ours = (key: Key, seconds: number): Toleration => ({
  key,
  operator: 'Equal',
  effect,
  ...(Number.isFinite(seconds) ? { tolerationSeconds: seconds } : {}),
});

function adjusted(tolerations: readonly Toleration[], key: Key, tolerance: Tolerance): readonly Toleration[] {
  const [first, ...others] = tolerations.filter((each) => tolerates(each, key));
  if (first === undefined) return tolerations;
  const own = others[0];
  // Ours is always in front of one that was there before; alone it is the pod's.
  const mine = own !== undefined && isOfOurForm(first, key) ? first : undefined;
  const seconds = wantedSeconds(tolerance, secondsOf(mine === undefined ? first : (own ?? first)));
  if (secondsOf(first) === seconds) return tolerations;
  const next = ours(key, seconds);
  if (mine === undefined) return [next, ...tolerations];
  return tolerations.map((each) => (each === mine ? next : each));
}

/**
 * The tolerations that make a bound pod outlast the taints of a lost node for as long as wanted. The API server takes new
 * tolerations on a bound pod, and other `tolerationSeconds` of those that are there (`ValidatePodUpdate`); of several
 * that match, the taint-eviction controller takes the first. So ours goes in front and the pod's own stay what they are:
 * the original needs no record, which the pod's node could forge. Undone, ours has the seconds of the one behind it.
 * A pod that does not tolerate the taint at all is left alone. Pure; the same array if there is nothing to do.
 */
export function toleratedFor(
  tolerations: readonly Toleration[],
  tolerance: Tolerance,
): readonly Toleration[] {
  return keys.reduce((list, key) => adjusted(list, key, tolerance), tolerations);
}
