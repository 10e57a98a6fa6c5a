import type { Plan, PlanPart } from '../command/index.ts';
import type { ClusterChange } from './types.ts';

/** The changes as people see them, in their order, those of one place that follow each other together. Pure. */
export function planOf(
  title: string,
  changes: readonly Pick<ClusterChange, 'where' | 'what'>[],
  warnings: readonly string[] = [],
): Plan {
  const parts: PlanPart[] = [];
  for (const { where, what } of changes) {
    const last = parts.at(-1);
    if (last?.where === where) parts[parts.length - 1] = { where, changes: [...last.changes, { what }] };
    else parts.push({ where, changes: [{ what }] });
  }
  return { title, parts, warnings };
}
