import { widthOf } from './text.ts';

export interface TableOptions {
  /** Of the terminal; a wider table becomes a list of records. Default: as wide as it is. */
  readonly columns?: number | undefined;
}

const padded = (cell: string, width: number): string => cell + ' '.repeat(width - widthOf(cell));

function record(head: readonly string[], row: readonly string[]): string {
  const width = Math.max(...head.map(widthOf));
  return head.map((name, at) => `${padded(name, width)}  ${row[at] ?? ''}`.trimEnd()).join('\n');
}

/** A line with names and one for each row, as `kubectl get` prints them; on a narrow terminal one below the other. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { columns = Number.POSITIVE_INFINITY }: TableOptions = {},
): string {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => widthOf(row[at] ?? ''))));
  const lines = all.map((row) =>
    row
      .map((cell, at) => padded(cell, widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  if (lines.every((line) => widthOf(line) <= columns)) return lines.join('\n');
  return rows.map((row) => record(head, row)).join('\n\n');
}
