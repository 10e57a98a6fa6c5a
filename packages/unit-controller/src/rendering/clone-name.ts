import { createHash } from 'node:crypto';
import { maxWorkloadName } from '@selvedge/api';

const digits = 10;
const space = 36n ** BigInt(digits);
/** What a name with a hash ends in. */
const hashed = /-[0-9a-z]{10}$/;

/** 51 bits of SHA-256, in ten characters. The slash is in no name, so other parts are another text. */
function hashOf(parts: readonly string[]): string {
  const bytes = createHash('sha256').update(parts.join('/')).digest().subarray(0, 16);
  return (BigInt(`0x${bytes.toString('hex')}`) % space).toString(36).padStart(digits, '0');
}

/** The parts, cut where they are too long, and a hash of all of them. */
function withHash(parts: readonly string[]): string {
  const room = maxWorkloadName - digits - 1;
  const readable = parts.join('-').slice(0, room).replace(/-+$/, '');
  return `${readable}-${hashOf(parts)}`;
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
