import { type MaintenanceWindow, parseAutonomy } from '@selvedge/api';
import { messageOf } from '@selvedge/kit';
import { labelRequirementsOf } from '@selvedge/kube';
import { type EdgeUnitObject, nextOpening, parseWindows } from '@selvedge/unit-controller';
import { type Findings, joined, problems, warnings } from './findings.ts';

export interface UnitFacts {
  /** All units as they are known, the one that is checked too. */
  readonly units: () => Iterable<EdgeUnitObject>;
  readonly now: number;
  /** Whether there is time to look at another unit. */
  readonly hasTime: () => boolean;
}

/** Of a selector, a window, a pointer: why it cannot be used. */
export function problemOf(use: () => unknown): string | undefined {
  try {
    use();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Members that are named one by one in a warning; the rest is counted. */
const maxNamed = 3;

/** What a person reads of a long list. */
export function shortList(items: readonly string[]): string {
  const more = items.length - maxNamed;
  return `${items.slice(0, maxNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function checkWindow(window: MaintenanceWindow, now: number): Findings {
  const problem = problemOf(() => parseWindows([window]));
  if (problem !== undefined) return problems(`spec.maintenanceWindows: ${problem}`);
  const isNever = nextOpening(parseWindows([window]), now) === undefined;
  return warnings(isNever ? `spec.maintenanceWindows: ${window.cron} never comes` : undefined);
}

/** Whose the nodes are that this unit names: the older unit keeps them. */
function takenNames({ metadata, spec }: EdgeUnitObject, units: Iterable<EdgeUnitObject>): readonly string[] {
  const names = new Set(spec?.members?.names);
  if (names.size === 0) return [];
  return Array.from(units)
    .filter((unit) => unit.metadata.name !== metadata.name)
    .flatMap((unit) => {
      const held = [
        ...(unit.spec?.members?.names ?? []),
        ...(unit.status?.members ?? []).map(({ name }) => name),
      ];
      return Array.from(new Set(held))
        .filter((name) => names.has(name))
        .map((name) => `${name} (${unit.metadata.name})`);
    });
}

function memberOddities(unit: EdgeUnitObject, { units }: UnitFacts): Findings {
  const { names, nodeSelector } = unit.spec?.members ?? {};
  const taken = takenNames(unit, units());
  const isEmpty = nodeSelector === undefined && (names ?? []).length === 0;
  return warnings(
    isEmpty ? 'spec.members names no node and has no nodeSelector: the unit has no members' : undefined,
    taken.length === 0
      ? undefined
      : `spec.members: other units want these nodes too, and the oldest has them: ${shortList(taken)}`,
  );
}

/** What the schema cannot say of an EdgeUnit. Pure. */
export function checkEdgeUnit(unit: EdgeUnitObject, facts: UnitFacts): Findings {
  const { members, maintenanceWindows = [], autonomy } = unit.spec ?? {};
  const { nodeSelector } = members ?? {};
  const selector = nodeSelector && problemOf(() => labelRequirementsOf(nodeSelector));
  const isNothing = autonomy !== undefined && autonomy !== 'off' && parseAutonomy(autonomy)?.kind === 'off';
  return joined(
    problems(selector === undefined ? undefined : `spec.members.nodeSelector: ${selector}`),
    ...maintenanceWindows.map((window) => checkWindow(window, facts.now)),
    warnings(isNothing ? `spec.autonomy: ${autonomy} is as good as off` : undefined),
    memberOddities(unit, facts),
  );
}
