import type { Node, Pod } from '@selvedge/kube/types';

import type { Verdict } from '../status/index.ts';

export interface AdmissionContext {
  /** The node's own object; `undefined` while it is not known. */
  readonly node: Node | undefined;
  /** The other pods of this node. */
  readonly others: readonly Pod[];
  readonly maxPods: number;
}

export function admit(_pod: Pod, _context: AdmissionContext): Verdict | undefined {
  return undefined;
}
