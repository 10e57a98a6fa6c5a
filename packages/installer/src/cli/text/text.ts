import { stripVTControlCharacters } from 'node:util';

const control = /\p{Cc}/gu;
/** They turn the direction of what follows, so that a line reads otherwise than it is. */
const direction = /[\u202A-\u202E\u2066-\u2069]/gu;
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uFF01-\uFF60]/u;
const letters = new Intl.Segmenter();

/** One line that does nothing to a terminal: what machines and clusters say is shown, not obeyed. */
export const printable = (text: string): string => text.replaceAll(control, ' ').replaceAll(direction, '');

const widthOfLetter = (letter: string): number => (wide.test(letter) ? 2 : 1);

/** The columns that a line takes, colours aside. */
export function widthOf(text: string): number {
  const plain = stripVTControlCharacters(text);
  return Array.from(letters.segment(plain), ({ segment }) => widthOfLetter(segment)).reduce(
    (sum, width) => sum + width,
    0,
  );
}

/** At most so many columns of a text without colours, the last of them `…` if it was longer. */
export function truncated(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  for (const { segment } of letters.segment(text)) {
    left -= widthOfLetter(segment);
    if (left < 0) break;
    kept += segment;
  }
  return columns < 1 ? '' : `${kept.trimEnd()}…`;
}

/**
 * Breaks a line between words. What follows is as far in as the line is, and `hang` more. A word that is longer than a
 * line stays whole: the terminal breaks it, and who copies it copies all of it.
 */
export function wrapped(line: string, columns: number, hang = 0): readonly string[] {
  const [, margin = '', body = ''] = /^(\s*)(.*)$/s.exec(line) ?? [];
  const further = margin + ' '.repeat(hang);
  const lines: string[] = [];
  let current = margin;
  let isEmpty = true;
  for (const word of body.split(' ')) {
    const next = isEmpty ? current + word : `${current} ${word}`;
    if (!isEmpty && widthOf(next) > columns) {
      lines.push(current);
      current = further + word;
    } else {
      current = next;
    }
    isEmpty = false;
  }
  return [...lines, current];
}

/** What is typed, and so must stay as it is: four columns in. */
const command = /^ {4}/;

/** Lines of a result for a terminal so wide; a command in it, four columns in, is not broken. */
export function fitted(text: string, columns: number | undefined): string {
  if (columns === undefined) return text;
  return text
    .split('\n')
    .flatMap((line) => (command.test(line) ? [line] : wrapped(line, columns)))
    .join('\n');
}
