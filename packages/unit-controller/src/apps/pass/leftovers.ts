import { labels } from '@selvedge/api';
import { keyOf, resources } from '@selvedge/kube';
import { type UnitAppObject, nameOf } from '../../objects.ts';
import type { Made } from '../view/index.ts';
import { type Intent, unitOf } from '../children/index.ts';
import { unitAppOf } from '../owner.ts';

/** It belongs to the UnitApp, not only by name, and is not on its way out. */
const isOf = (app: UnitAppObject, { object }: Made): boolean =>
  unitAppOf(object)?.uid === app.metadata.uid && object.metadata.deletionTimestamp === undefined;

const isWanted = (intents: readonly Intent[], { resource, object }: Made): boolean =>
  intents.some((intent) => intent.resource.plural === resource.plural && intent.key === keyOf(object));

/** Of the UnitApp, by the unit that each was made for. Pure. */
export function byUnit(app: UnitAppObject, made: readonly Made[]): ReadonlyMap<string, readonly Made[]> {
  return Map.groupBy(
    made.filter((one) => isOf(app, one) && unitOf(one.object) !== undefined),
    ({ object }) => unitOf(object) ?? '',
  );
}

/** Of one unit, what is not wanted there. Pure. */
export const leftIn = (intents: readonly Intent[], ofUnit: readonly Made[]): readonly Made[] =>
  ofUnit.filter((one) => !isWanted(intents, one));

/** Of what all units share: the Service, and Secrets of revisions that are not kept any more. Pure. */
export function leftOfShared(
  app: UnitAppObject,
  wanted: {
    /** Undefined: there is no telling, and all stays. */
    readonly intents: readonly Intent[] | undefined;
    readonly revisions: ReadonlySet<string>;
  },
  made: readonly Made[],
): readonly Made[] {
  const isLeft = (one: Made): boolean => {
    const { name = '', labels: own } = one.object.metadata;
    if (one.resource === resources.services) {
      return name === nameOf(app) && wanted.intents !== undefined && !isWanted(wanted.intents, one);
    }
    return (
      one.resource === resources.secrets &&
      own?.[labels.revision] !== undefined &&
      !wanted.revisions.has(name)
    );
  };
  return made.filter((one) => isOf(app, one) && unitOf(one.object) === undefined && isLeft(one));
}
