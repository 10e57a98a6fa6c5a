import { type EdgeUnitStatus, finalizers } from '@selvedge/api';
import { type Clock, type Logger, hasCode } from '@selvedge/kit';
import {
  type EventContent,
  type EventRecorder,
  type KubeClient,
  type ObjectReader,
  applyPatch,
  mergePatch,
} from '@selvedge/kube';
import type { ClusterView } from './cluster-view.ts';
import type { UnitMetrics } from '../metrics.ts';
import { planNode } from '../nodes/index.ts';
import { type EdgeUnitObject, edgeUnitResource, fieldManager, nameOf } from '../objects.ts';
import { type MemberFacts, type UnitFacts, type UnitStep, planUnit, timestamp } from '../units/index.ts';

export interface UnitReconcilerDeps {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly units: ObjectReader<EdgeUnitObject>;
  readonly view: ClusterView;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: UnitMetrics;
}

const timeoutMs = 10_000;

function memberFacts(view: ClusterView, name: string): MemberFacts {
  const facts = view.factsOf(name);
  const { steps, conflicts } = planNode(facts);
  const addresses = facts.node.status?.addresses ?? [];
  return {
    name,
    addresses: addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
    state: view.edgeNodes.get(name)?.status?.state,
    settled: steps.length === 0,
    conflicts,
  };
}

function factsOf({ view, clock }: UnitReconcilerDeps, unit: EdgeUnitObject): UnitFacts {
  const name = nameOf(unit);
  const { membership } = view;
  const members = membership.membersOf(name);
  const belonging = new Set(members);
  return {
    unit,
    members: members.map((node) => memberFacts(view, node)),
    leaving: view.holdersOf(name).filter((node) => !belonging.has(node)),
    lost: membership.lostBy(name),
    missing: membership.missingOf(name),
    problem: membership.problemOf(name),
    now: timestamp(clock.now()),
  };
}

/** What people are told when a condition has changed, or what it says of conflicts. */
function newsOf(before: EdgeUnitStatus | undefined, after: EdgeUnitStatus): readonly EventContent[] {
  const conditions = (after.conditions ?? []).filter(({ type, message }) => {
    const last = before?.conditions?.find((one) => one.type === type);
    return last?.message !== message;
  });
  return conditions
    .filter(({ reason }) => ['Conflicts', 'DeletionRefused', 'InvalidSelector'].includes(reason))
    .map(({ reason, message }) => ({ type: 'Warning', reason, message }));
}

async function execute(
  { client, events, metrics }: UnitReconcilerDeps,
  { unit, step }: { readonly unit: EdgeUnitObject; readonly step: UnitStep },
  signal: AbortSignal,
): Promise<void> {
  const { uid, resourceVersion, finalizers: present = [] } = unit.metadata;
  const at = { name: nameOf(unit) };
  const options = { fieldManager, timeoutMs, signal };
  if (step.kind === 'report') {
    const patch = applyPatch({ status: step.status });
    metrics.writes.add({ what: 'status' });
    await client.patch(edgeUnitResource, at, { ...options, patch, subresource: 'status', force: true });
    const { apiVersion, kind } = edgeUnitResource;
    for (const news of newsOf(unit.status, step.status))
      events.record({ apiVersion, kind, uid, ...at }, news);
    return;
  }
  const others = present.filter((one) => one !== finalizers.edgeUnit);
  const after = step.kind === 'hold' ? [...others, finalizers.edgeUnit] : others;
  const patch = mergePatch({ metadata: { uid, resourceVersion, finalizers: after } });
  metrics.writes.add({ what: 'finalizer' });
  await client.patch(edgeUnitResource, at, { ...options, patch });
}

/** Keeps one unit's finalizer and status; nothing is written when nothing changed. */
export function createUnitReconciler(
  deps: UnitReconcilerDeps,
): (name: string, signal: AbortSignal) => Promise<void> {
  return async (name, signal) => {
    const unit = deps.units.get(name);
    const step = unit === undefined ? undefined : planUnit(factsOf(deps, unit));
    if (unit === undefined || step === undefined) return;
    try {
      await execute(deps, { unit, step }, signal);
    } catch (error) {
      // It changed in between: the watch brings it.
      if (!hasCode(error, 'Conflict', 'NotFound')) throw error;
    }
  };
}
