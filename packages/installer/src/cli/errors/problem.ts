import { SelvedgeError, messageOf } from '@selvedge/kit';
import { type Style, printable, wrapped } from '../text/index.ts';
import { nextOf } from './next.ts';

/** An error as it is told: what failed, why, what to do. */
export interface Problem {
  /** As in kit's `ErrorCode`. */
  readonly code: string;
  readonly what: string;
  /** From the nearest cause to the deepest. */
  readonly why: readonly string[];
  /** What to do, or to type, next. */
  readonly next: string;
}

const maxCauses = 8;

function chain(error: unknown): readonly unknown[] {
  const all: unknown[] = [];
  for (let one = error; one !== undefined && all.length < maxCauses; ) {
    all.push(one);
    one = one instanceof Error ? one.cause : undefined;
  }
  return all;
}

/** Anything thrown by a command, secrets left out. */
export function problemOf(error: unknown): Problem {
  const all = chain(error);
  const [what = '', ...why] = new Set(all.map((one) => printable(messageOf(one))));
  const hint = all.find((one) => one instanceof SelvedgeError && one.hint !== undefined);
  const code = error instanceof SelvedgeError ? error.code : 'Internal';
  const told = hint instanceof SelvedgeError ? hint.hint : undefined;
  return { code, what, why, next: printable(told ?? nextOf(code)) };
}

/** As lines: `selvedge: what`, then why and what next, each with its name before it. */
export function problemText(
  { what, why, next }: Problem,
  {
    style: { colors },
    columns = Number.POSITIVE_INFINITY,
  }: { readonly style: Style; readonly columns?: number },
): string {
  const told = [...why.map((cause) => ['why', cause] as const), ['next', next] as const];
  return [
    ...wrapped(`selvedge: ${what}`, columns, 2).map((line) => colors.red(line)),
    ...told.flatMap(([name, text]) =>
      wrapped(`  ${name.padEnd(5)} ${text}`, columns, 6).map((line) => line.replace(name, colors.bold(name))),
    ),
  ].join('\n');
}
