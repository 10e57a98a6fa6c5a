import type { NodeSight } from './sight.ts';

/** What must be seen of a node before it is taken for what it shall be. Times as in `NodeSight`. */
export interface Expectation {
  /** Converted: through a hub of its own. Plain: at the API server itself. */
  readonly as: 'converted' | 'plain';
  /** A status of the kubelet that is older says nothing. Absent: any will do. */
  readonly heartbeatAfterMs?: number;
  readonly leaseAfterMs: number;
}

/** Each thing that is not as it must be, for people, in the order in which they come to be. Pure. */
export function lacksOf(sight: NodeSight, expected: Expectation): readonly string[] {
  const { ready, hub, sessions, leaseRenewedMs } = sight;
  const isOld = ready.heartbeatMs < (expected.heartbeatAfterMs ?? 0);
  const checks: readonly (readonly [lacks: boolean, what: string])[] = [
    [isOld, 'the kubelet has not reported since its restart'],
    [!ready.isTrue, `the Node is not Ready (${ready.reason})`],
    [leaseRenewedMs < expected.leaseAfterMs, 'its Lease was not renewed since'],
    [expected.as === 'converted' && hub !== true, 'its hub has not said that it reaches the cloud'],
    [expected.as === 'converted' && sessions === 0, 'it has no tunnel session'],
  ];
  return checks.filter(([lacks]) => lacks).map(([, what]) => what);
}
