import type { BenchRow } from './row.ts';

const verdict = (ok: boolean | null): string => (ok === null ? '' : ok ? 'met' : 'MISSED');

function cells(bench: BenchRow): string[] {
  const ratio = bench.peer === null || bench.peer === 0 ? '' : (bench.ours / bench.peer).toFixed(2);
  const peer = bench.peer === null ? '' : `${bench.peer} (${bench.peerName})`;
  const own = `${bench.ours} ${bench.unit}`;
  return [bench.id, own, peer, ratio, bench.goal ?? '', verdict(bench.ok), String(bench.samples)];
}

const head = ['measure', 'ours', 'peer', 'ratio', 'goal', '', 'n'];

/** A Markdown table of the rows, columns padded so that it reads well in a terminal too. */
export function renderTable(rows: readonly BenchRow[]): string {
  const lines = [head, ...rows.map(cells)];
  const widths = head.map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)));
  const render = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return `${[render(head), rule, ...lines.slice(1).map(render)].join('\n')}\n`;
}
