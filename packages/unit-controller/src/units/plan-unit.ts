import { isDeepStrictEqual } from 'node:util';
import { type EdgeUnitStatus, finalizers } from '@selvedge/api';
import type { EdgeUnitObject } from '../objects.ts';
import { type UnitFacts, statusOf } from './unit-status.ts';

export const hasFinalizer = ({ metadata }: EdgeUnitObject): boolean =>
  (metadata.finalizers ?? []).includes(finalizers.edgeUnit);

/** What the unit should do next. */
export type UnitStep =
  /** Its members are to get something. */
  | { readonly kind: 'hold' }
  /** It is deleted and nobody has anything of it. */
  | { readonly kind: 'release' }
  | { readonly kind: 'report'; readonly status: EdgeUnitStatus };

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? {}));

/** One step at a time; undefined: nothing is to be done. Pure. */
export function planUnit(facts: UnitFacts): UnitStep | undefined {
  const { unit, members, leaving } = facts;
  const isDeleting = unit.metadata.deletionTimestamp !== undefined;
  if (!isDeleting && !hasFinalizer(unit)) return { kind: 'hold' };
  if (isDeleting && members.length + leaving.length === 0)
    return hasFinalizer(unit) ? { kind: 'release' } : undefined;
  const status = statusOf(facts);
  return isDeepStrictEqual(asJson(status), asJson(unit.status)) ? undefined : { kind: 'report', status };
}
