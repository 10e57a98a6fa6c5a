import { type EdgeUnitCounts, type EdgeUnitMember, edgeUnitConditions } from '@selvedge/api';
import type { KubeClient } from '@selvedge/kube';
import type { CommandContext } from '../command/index.ts';
import { unitNameOf } from './membership.ts';
import { type EdgeUnitObject, edgeUnitResource } from '../edge-objects.ts';

export interface UnitInfo {
  readonly name: string;
  /** As its status says. */
  readonly members: readonly Pick<EdgeUnitMember, 'name' | 'state'>[];
  /** Names in its spec without a Node. */
  readonly missing: number;
  /** Members in the state Connected. */
  readonly connected: number;
  /** Whether members have all that it gives. Absent: nobody looked at it as it is now. */
  readonly isSettled?: boolean | undefined;
  readonly conflicts: number;
  /** Absent: the cluster's default. */
  readonly autonomy?: string | undefined;
}

export interface UnitList {
  /** By name. */
  readonly units: readonly UnitInfo[];
}

/** Whether the newest spec is in force; undefined: nobody has looked at it. */
export function isSettled({ metadata, status }: EdgeUnitObject): boolean | undefined {
  if (status?.observedGeneration !== metadata.generation) return undefined;
  const condition = status?.conditions?.find(({ type }) => type === edgeUnitConditions.settled);
  return condition === undefined ? undefined : condition.status === 'True';
}

const noCounts: Pick<EdgeUnitCounts, 'missing' | 'connected' | 'conflicts'> = { missing: 0, conflicts: 0 };

function infoOf(unit: EdgeUnitObject): UnitInfo {
  const { members = [], counts: { missing, connected = 0, conflicts } = noCounts } = unit.status ?? {};
  return {
    name: unitNameOf(unit),
    members: members.map(({ name, state }) => ({
      name,
      ...(state === undefined ? {} : { state }),
    })),
    missing,
    connected,
    isSettled: isSettled(unit),
    conflicts,
    autonomy: unit.spec?.autonomy,
  };
}

export async function listUnits(
  deps: Pick<CommandContext, 'signal'> & { readonly cluster: KubeClient },
): Promise<UnitList> {
  const { items } = await deps.cluster.listAll(edgeUnitResource, { signal: deps.signal });
  return { units: items.map(infoOf).toSorted((one, other) => (one.name < other.name ? -1 : 1)) };
}
