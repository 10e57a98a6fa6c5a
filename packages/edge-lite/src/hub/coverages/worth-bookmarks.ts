import type { CoverageSpec, Replica, Shown } from '../replica/types.ts';

/** Characters of JSON that cost less, listed anew, than an hour or two of bookmarks: one a minute of some 300 bytes. */
const smallText = 32 * 1024;
const smallCount = 32;

const nameOf = ({ fieldSelector }: CoverageSpec): string | undefined =>
  /^metadata\.name=([^,]+)$/.exec(fieldSelector)?.[1];

/** What is held, or more of the same resource; at most one object more than are few. */
function heldOf(replica: Pick<Replica, 'reader'>, spec: CoverageSpec): readonly Shown[] {
  const { resource, namespace } = spec;
  const reader = replica.reader(resource);
  const one = reader.get({ namespace, name: nameOf(spec) ?? '' });
  if (one !== undefined) return [one];
  const page = reader.page({ ...(namespace === '' ? {} : { namespace }), limit: smallCount + 1 });
  return page === 'expired' ? [] : page;
}

/**
 * Whether upstream shall tell now and then how far it is. That spares a new list after a break; where little is held, the
 * list costs less, and it is needed only if upstream has forgotten by then what followed the last change.
 */
export function isWorthBookmarks(replica: Pick<Replica, 'reader'>, spec: CoverageSpec): boolean {
  const held = heldOf(replica, spec);
  if (held.length > smallCount) return true;
  return held.reduce((sum, { json }) => sum + json.length, 0) > smallText;
}
