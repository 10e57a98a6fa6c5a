import type { EdgeNodeStatus, EdgeNodeWitness, NodeState } from '@selvedge/api';
import type { AutonomousReason, ExpiredReason, Fate } from './types.ts';

/** The part of `EdgeNode.status` that says what the node is taken for. */
export type RecordedFate = Pick<EdgeNodeStatus, 'state' | 'since' | 'reason' | 'message' | 'witnesses'>;

const autonomousReasons: readonly AutonomousReason[] = ['UnitCut', 'NoUnit', 'NoWitness', 'AwaitingWitness'];
const expiredReasons: readonly ExpiredReason[] = [
  'PeriodOver',
  'NotVouched',
  'NeverConnected',
  'AutonomyOff',
];

const oneOf = <R extends string>(reasons: readonly R[], text: string | undefined, otherwise: R): R =>
  reasons.find((reason) => reason === text) ?? otherwise;

const saying = (alive: boolean, { witnesses = [] }: RecordedFate): readonly string[] =>
  witnesses.filter((one) => one.alive === alive).map(({ node }) => node);

type Recall = (since: number, status: RecordedFate) => Fate;

const recalls: Readonly<Record<NodeState, Recall>> = {
  Connected: (since) => ({ kind: 'Connected', since, reason: 'LeaseRenewed' }),
  Vouched: (since, status) => ({ kind: 'Vouched', since, reason: 'SeenAlive', by: saying(true, status) }),
  Autonomous: (since, { reason }) => ({
    kind: 'Autonomous',
    since,
    reason: oneOf(autonomousReasons, reason, 'NoWitness'),
  }),
  Expired: (since, { reason }) => ({
    kind: 'Expired',
    since,
    reason: oneOf(expiredReasons, reason, 'PeriodOver'),
  }),
  Dead: (since, status) => ({ kind: 'Dead', since, reason: 'SeenDead', by: saying(false, status) }),
};

/** What an earlier leader, or this one before it was restarted, wrote. undefined: nothing. Pure. */
export function recalledFate(status: RecordedFate = {}): Fate | undefined {
  const since = Date.parse(status.since ?? '');
  return status.state === undefined || Number.isNaN(since) ? undefined : recalls[status.state](since, status);
}

const messages: Readonly<Record<Fate['reason'], string>> = {
  LeaseRenewed: 'The node renews its Lease.',
  SeenAlive: 'The node lost its link; peers see its kubelet alive.',
  UnitCut: 'No member of its unit has a link.',
  NoUnit: 'The node lost its link, and belongs to no unit whose members could see it.',
  NoWitness: 'The node lost its link, and no connected member of its unit is known to witness.',
  AwaitingWitness: 'The node lost its link; what connected members of its unit see is waited for.',
  PeriodOver: 'The period of autonomy is over.',
  NotVouched: 'Connected members of its unit do not say that its kubelet is alive.',
  NeverConnected: 'The node had been given up before cloud-manager saw it alive.',
  AutonomyOff: 'The node lost its link, and its policy of autonomy is off.',
  SeenDead: 'Peers say that its kubelet is dead.',
};

/** For people. */
export const messageOf = ({ reason }: Fate): string => messages[reason];

/** RFC 3339 without fractions, as Kubernetes writes it. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** How many witnesses are shown. The definition allows as many. */
const maxShown = 16;

function witnessesOf(fate: Fate): readonly EdgeNodeWitness[] {
  if (fate.kind !== 'Vouched' && fate.kind !== 'Dead') return [];
  const at = timestamp(fate.since);
  return fate.by.slice(0, maxShown).map((node) => ({ node, at, alive: fate.kind === 'Vouched' }));
}

/** What is written of a fate. Pure. */
export const recordOf = (fate: Fate): Required<RecordedFate> => ({
  state: fate.kind,
  since: timestamp(fate.since),
  reason: fate.reason,
  message: messageOf(fate),
  witnesses: witnessesOf(fate),
});

/** Whether that is what is written already. Witnesses that say what others said before are not worth a write. */
export function isRecorded(fate: Fate, status: RecordedFate | undefined): boolean {
  return (
    status?.state === fate.kind && status.reason === fate.reason && status.since === timestamp(fate.since)
  );
}
