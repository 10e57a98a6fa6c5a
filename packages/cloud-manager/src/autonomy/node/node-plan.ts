import { autonomousCondition, autonomousTaint } from '@selvedge/api';
import type { Node, NodeCondition, Taint } from '@selvedge/kube/types';
import { type Fate, isHeld, messageOf, timestamp } from '../fate/index.ts';

const autonomous: Taint = { key: autonomousTaint, effect: 'NoSchedule' };

/** The value by which ours is told from one that a person has set. */
const ourValue = 'selvedge';
/** Source: kubernetes.io "Non-graceful node shutdown handling". */
const outOfService: Taint = {
  key: 'node.kubernetes.io/out-of-service',
  value: ourValue,
  effect: 'NoExecute',
};

/** Why a node or a pod is Ready although nobody could hear of it. */
export const heldReason = 'SelvedgeHeld';

const isOutOfService = ({ key, effect }: Taint): boolean =>
  key === outOfService.key && effect === outOfService.effect;

export const isFailedOver = ({ spec }: Node): boolean =>
  (spec?.taints ?? []).some((taint) => isOutOfService(taint) && taint.value === ourValue);

const isAutonomous = ({ key, effect }: Taint): boolean =>
  key === autonomous.key && effect === autonomous.effect;

/** Adds it where it is wanted and nobody has set it; takes ours away where it is not. */
function withTaint(
  taints: readonly Taint[],
  taint: Taint,
  { isIt, wanted }: { readonly isIt: (one: Taint) => boolean; readonly wanted: boolean },
): readonly Taint[] {
  if (wanted) return taints.some(isIt) ? taints : [...taints, taint];
  const isOurs = (one: Taint): boolean => isIt(one) && (one.value ?? '') === (taint.value ?? '');
  return taints.some(isOurs) ? taints.filter((one) => !isOurs(one)) : taints;
}

/**
 * The taints that a node of that fate has; the same array if nothing is to be done. `failOver`: whether a dead one may
 * lose its pods to other nodes; one that has lost them already stays so until it is not dead any more. Pure.
 */
export function plannedTaints(
  taints: readonly Taint[],
  fate: Fate,
  { failOver }: { readonly failOver: boolean },
): readonly Taint[] {
  const closed = withTaint(taints, autonomous, { isIt: isAutonomous, wanted: isHeld(fate) });
  if (fate.kind === 'Dead' && !failOver) return closed;
  return withTaint(closed, outOfService, { isIt: isOutOfService, wanted: fate.kind === 'Dead' });
}

function mirrored(conditions: readonly NodeCondition[], fate: Fate): NodeCondition | undefined {
  const now = conditions.find(({ type }) => type === autonomousCondition);
  // A node that never was anything else needs no condition that says so.
  if (now === undefined && fate.kind === 'Connected') return undefined;
  const status = isHeld(fate) ? 'True' : 'False';
  const message = messageOf(fate);
  if (now?.status === status && now.reason === fate.kind && now.message === message) return undefined;
  const at = timestamp(fate.since);
  return {
    type: autonomousCondition,
    status,
    reason: fate.kind,
    message,
    lastHeartbeatTime: at,
    lastTransitionTime: now?.status === status ? now.lastTransitionTime : at,
  };
}

export interface ReadyFacts {
  /** What the kubelet said last, as far as it is known; what it said is what is put back. */
  readonly wasReady: boolean;
  /** Wall time in milliseconds. */
  readonly now: number;
}

/** The node-lifecycle controller gave the node up, which a renewed Lease alone does not undo. */
function readyAgain(
  conditions: readonly NodeCondition[],
  fate: Fate,
  facts: ReadyFacts,
): NodeCondition | undefined {
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (!isHeld(fate) || ready?.status !== 'Unknown' || !facts.wasReady) return undefined;
  return {
    type: 'Ready',
    status: 'True',
    reason: heldReason,
    message: messageOf(fate),
    lastTransitionTime: timestamp(facts.now),
  };
}

/** The conditions of a node to be written; none if it is as it should be. Pure. */
export function plannedConditions(
  conditions: readonly NodeCondition[],
  fate: Fate,
  facts: ReadyFacts,
): readonly NodeCondition[] {
  return [mirrored(conditions, fate), readyAgain(conditions, fate, facts)].filter((one) => one !== undefined);
}
