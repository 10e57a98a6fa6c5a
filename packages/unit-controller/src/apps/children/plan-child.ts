import { unitAppOf } from '../owner.ts';
import { hasField, owns } from './field-set.ts';
import type { Intent } from './intent.ts';
import { type SeenChild, appliedHashOf } from './seen-child.ts';

/** What brings an object to what a UnitApp wants of it. */
export type ChildStep =
  | { readonly kind: 'create' }
  /** The fields become nobody's, so that the next apply does not take them away. */
  | { readonly kind: 'release'; readonly pointers: readonly string[] }
  | { readonly kind: 'apply' }
  /** It belongs to somebody else, or is on its way out. */
  | { readonly kind: 'none'; readonly why: 'foreign' | 'leaving' | 'settled' };

const identity = ['apiVersion', 'kind'] as const;

/** Nobody has changed anything of it since it was applied. */
function isUntouched({ kept }: Intent, { owned }: SeenChild): boolean {
  const { metadata, ...body } = kept;
  const { name: _, namespace: __, ...meta } = metadata;
  const fields = Object.entries({ ...body, metadata: meta }).filter(
    ([key]) => !identity.some((one) => one === key),
  );
  return owned !== undefined && owns(owned.fields, Object.fromEntries(fields));
}

/** The next step of one object; `owner` is the UnitApp's uid. Pure. */
export function planChild(intent: Intent, seen: SeenChild | undefined, owner: string): ChildStep {
  if (seen === undefined) return { kind: 'create' };
  if (unitAppOf(seen)?.uid !== owner) return { kind: 'none', why: 'foreign' };
  if (seen.metadata.deletionTimestamp !== undefined) return { kind: 'none', why: 'leaving' };
  const { fields = {} } = seen.owned ?? {};
  const pointers = intent.left.filter((pointer) => hasField(fields, pointer));
  if (pointers.length > 0) return { kind: 'release', pointers };
  const isSettled = appliedHashOf(seen) === intent.hash && isUntouched(intent, seen);
  return isSettled ? { kind: 'none', why: 'settled' } : { kind: 'apply' };
}
