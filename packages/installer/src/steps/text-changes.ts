import { SelvedgeError } from '@selvedge/kit';
import type { EditStep, TextChange } from './types.ts';

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

/** A text that was changed, and by somebody else since. */
export type ChangedSince =
  /** None of the changes is in it. */
  | { readonly kind: 'without' }
  /** Each of them stood in it once; the text without them. */
  | { readonly kind: 'undone'; readonly text: string }
  /** Something of them is in it, that a person has to look at. */
  | { readonly kind: 'mixed'; readonly marks: readonly string[] };

/** The changes the other way round, where each is found once, in their order. */
function reversed(text: string, changes: readonly TextChange[]): readonly TextChange[] | undefined {
  const found = changes.map(({ old, new: made }) => ({ at: text.indexOf(made), old: made, new: old }));
  const areClear = found.every(({ at, old }, index) => {
    const { at: from, old: one } = found[index - 1] ?? { at: 0, old: '' };
    return old !== '' && text.lastIndexOf(old) === at && at >= from + one.length;
  });
  return areClear ? found : undefined;
}

/** What becomes of a text that somebody else changed after the changes were made. `marks`: as of an edit. Pure. */
export function withoutChanges(
  text: string,
  { changes, marks }: Pick<EditStep, 'changes' | 'marks'>,
): ChangedSince {
  const left = marks.filter((mark) => text.includes(mark));
  if (left.length === 0) return { kind: 'without' };
  const back = left.length === marks.length ? reversed(text, changes) : undefined;
  const undone = back === undefined ? text : changeText(text, back);
  return marks.some((mark) => undone.includes(mark))
    ? { kind: 'mixed', marks: left }
    : { kind: 'undone', text: undone };
}
