import type { EdgeUnitObject } from '../../objects.ts';

/** One of the unit's nodes has a link of its own: what is asked of the unit can come there. Pure. */
export const isConnected = ({ status }: EdgeUnitObject): boolean =>
  (status?.members ?? []).some(({ state }) => state === 'Connected');

/** What is asked of the unit cannot come to all of it. Pure. */
export const isCutInPart = ({ status }: EdgeUnitObject): boolean =>
  (status?.members ?? []).some(({ state }) => state !== 'Connected');
