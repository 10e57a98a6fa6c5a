import type { Node, Pod } from '@selvedge/kube/types';

import { refusals } from '../spec/index.ts';
import type { Verdict } from '../status/index.ts';
import { placementVerdict } from './placement.ts';
import { resourceVerdict } from './resources.ts';

export interface AdmissionContext {
  /** The node's own object; `undefined` while it is not known, and then it is not asked. */
  readonly node: Node | undefined;
  /** The other pods that were taken in and are not over. */
  readonly others: readonly Pod[];
  readonly maxPods: number;
}

function unsupportedVerdict(pod: Pod): Verdict | undefined {
  const fields = refusals(pod).map(({ field }) => field);
  if (fields.length === 0) return undefined;
  const verb = fields.length === 1 ? 'is' : 'are';
  return {
    reason: 'PodFeatureUnsupported',
    message: `${fields.join(', ')} ${verb} not supported on this node`,
  };
}

/**
 * Whether a pod may run on this node: all that it asks for is supported, there is room for it, and it is meant to be
 * here. `undefined` if so, else why not, in the kubelet's words where it has any.
 */
export function admit(pod: Pod, context: AdmissionContext): Verdict | undefined {
  return unsupportedVerdict(pod) ?? resourceVerdict(pod, context) ?? placementVerdict(pod, context);
}
