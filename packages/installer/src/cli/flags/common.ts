import { type Command, InvalidArgumentError } from 'commander';
import { SelvedgeError } from '@selvedge/kit';
import { parseDuration } from '../text/index.ts';

/** A parser of a flag that throws `Invalid`, as commander wants it. */
export function parsedBy<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof SelvedgeError)) throw error;
      throw new InvalidArgumentError([error.message, error.hint].filter(Boolean).join('; '));
    }
  };
}

/** Milliseconds. */
export const duration = parsedBy(parseDuration);

export const words = (text: string): readonly string[] => {
  const all = text.split(',').map((word) => word.trim());
  if (all.includes('')) throw new InvalidArgumentError('use a,b,c');
  return all;
};

/** For flags that may be given several times, each with several values. */
export const moreWords = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...words(text),
];

export function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= from && number <= to) return number;
    throw new InvalidArgumentError(`must be a whole number from ${from} to ${to}`);
  };
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print the result as JSON, and progress as JSON lines on stderr');
}

/** For commands that change something. */
export function withChanges(command: Command): Command {
  return withJson(command)
    .option('--dry-run', 'print the plan and change nothing')
    .option('-y, --yes', 'do not ask for confirmation');
}
