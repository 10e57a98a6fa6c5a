import type { NodeSight } from './sight.ts';

/** What must be seen of a node before it is taken for what it shall be. Times as in `NodeSight`. */
export interface Expectation {
  /** Converted: through a hub of its own. Plain: at the API server itself. */
  readonly as: 'converted' | 'plain';
  /** When its kubelet was started: what is older was not said by it. Absent: anything will do. */
  readonly startedMs?: number | undefined;
}

/** Each thing that is not as it must be, for people, in the order in which they come to be. Pure. */
export function lacksOf(sight: NodeSight, { as, startedMs = 0 }: Expectation): readonly string[] {
  const { ready, hub, sessions, leaseRenewedMs } = sight;
  const checks: readonly (readonly [lacks: boolean, what: string])[] = [
    [ready.heartbeatMs < startedMs, 'the kubelet has not reported since its restart'],
    [!ready.isTrue, `the Node is not Ready (${ready.reason})`],
    [leaseRenewedMs < startedMs, 'its Lease has not been renewed since'],
    [as === 'converted' && hub !== true, 'its hub has not reported a connection to the cloud'],
    [as === 'converted' && sessions === 0, 'it has no tunnel session'],
  ];
  return checks.filter(([lacks]) => lacks).map(([, what]) => what);
}
