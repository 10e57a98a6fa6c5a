import { SelvedgeError } from '@selvedge/kit';
import type { TextChange } from './types.ts';

/** The text with the changes made. Throws `Conflict` if something else stands where one is to be made. */
export function changeText(text: string, changes: readonly TextChange[]): string {
  let [done, from] = ['', 0];
  for (const { at, old, new: next } of changes) {
    if (at < from || !text.startsWith(old, at)) {
      throw new SelvedgeError(`unexpected content at position ${at}`, { code: 'Conflict' });
    }
    done += text.slice(from, at) + next;
    from = at + old.length;
  }
  return done + text.slice(from);
}
