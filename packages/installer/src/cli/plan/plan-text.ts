import { redact } from '@selvedge/kit';
import { type Plan, type PlanPart, isDone } from '../../command/index.ts';
import { type Style, printable, wrapped } from '../text/index.ts';

export interface PlanTextOptions {
  readonly style: Style;
  /** Of the terminal. Default: lines as long as they are. */
  readonly columns?: number | undefined;
}

/** A change of a file shows what goes and what comes, as a diff does. */
function detailColor(line: string, { colors }: Style): string {
  if (line.startsWith('+')) return colors.green(line);
  return line.startsWith('-') ? colors.red(line) : colors.dim(line);
}

const clean = (text: string): string => redact(printable(text));

function partLines({ where, changes }: PlanPart, options: Required<PlanTextOptions>): readonly string[] {
  const { style, columns = Number.POSITIVE_INFINITY } = options;
  if (changes.length === 0) return [];
  return [
    ...wrapped(clean(where), columns, 2).map((line) => style.colors.bold(line)),
    ...changes.flatMap(({ what, detail = [] }) => [
      ...wrapped(`  ${style.symbols.change} ${clean(what)}`, columns, 2),
      ...detail.flatMap((line) =>
        wrapped(`      ${clean(line)}`, columns, 2).map(
          (piece) => piece.slice(0, 6) + detailColor(piece.slice(6), style),
        ),
      ),
    ]),
    '',
  ];
}

/** A plan for people: where, and below it what. Warnings last, next to the question. */
export function planText(plan: Plan, { style, columns = Number.POSITIVE_INFINITY }: PlanTextOptions): string {
  const { colors } = style;
  const nothing = isDone(plan) ? ': nothing to do' : '';
  const warnings = plan.warnings.flatMap((warning) =>
    wrapped(`warning: ${clean(warning)}`, columns, 2).map((line) => colors.yellow(line)),
  );
  return [
    ...wrapped(`${clean(plan.title)}${nothing}`, columns).map((line) => colors.bold(line)),
    '',
    ...plan.parts.flatMap((part) => partLines(part, { style, columns })),
    ...warnings,
  ]
    .join('\n')
    .trimEnd();
}
