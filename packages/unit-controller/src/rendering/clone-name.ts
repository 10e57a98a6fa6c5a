import { maxWorkloadName } from '@selvedge/api';
import { hashDigits, hashOf } from './hash.ts';

/** What a name with a hash ends in. */
const hashed = /-[0-9a-z]{10}$/;

/** The parts, cut where they are too long, and a hash of all of them. */
function withHash(parts: readonly string[]): string {
  const room = maxWorkloadName - hashDigits - 1;
  const readable = parts.join('-').slice(0, room).replace(/-+$/, '');
  // The slash is in no name, so other parts are another text.
  return `${readable}-${hashOf(parts.join('/'))}`;
}

/**
 * The name of a UnitApp's clone in a unit: `<app>-<unit>` where only these two give it and it fits, else cut and with a
 * hash of both. Never the same for two. `till` in `shop-1` is `till-shop-1`; `till-a` in `shop-1` could be `till` in
 * `a-shop-1`, so it is `till-a-shop-1-` and a hash. Pure.
 */
export function cloneName(app: string, unit: string): string {
  const plain = `${app}-${unit}`;
  const isPlain = !app.includes('-') && plain.length <= maxWorkloadName && !hashed.test(plain);
  return isPlain ? plain : withHash([app, unit]);
}

/** The name of a ConfigMap or Secret of a UnitApp in a unit. Never the same for two. Pure. */
export const childName = (app: string, child: string, unit: string): string => withHash([app, child, unit]);
