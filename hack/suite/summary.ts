import type { Failure, FileTime, Report } from './report.ts';
import { add, nothing } from './tally.ts';

/** One line of the summary. */
export interface SuiteResult {
  readonly suite: string;
  readonly report: Report;
  readonly durationMs: number;
}

/** The end of a log must tell all: so much is shown, and no more. */
const maxFailures = 20;
const maxLines = 12;
const slowest = 5;

const seconds = (durationMs: number): string => (durationMs / 1_000).toFixed(1);

function row([name = '', ...numbers]: readonly string[]): string {
  return name.padEnd(16) + numbers.map((number) => number.padStart(9)).join('');
}

/** The table of all suites. */
function suiteTable(results: readonly SuiteResult[]): readonly string[] {
  const head = ['suite', 'passed', 'failed', 'skipped', 'seconds'];
  const rows = results.map(({ suite, report: { tally }, durationMs }) => [
    suite,
    ...[tally.passed, tally.failed, tally.skipped].map(String),
    seconds(durationMs),
  ]);
  return [head, ...rows].map(row);
}

function slowFiles({ suite, report: { files } }: SuiteResult): readonly string[] {
  const line = ({ file, durationMs }: FileTime): string =>
    `${suite.padEnd(16)}${seconds(durationMs).padStart(9)}  ${file}`;
  return files
    .toSorted((a, b) => b.durationMs - a.durationMs)
    .slice(0, slowest)
    .map(line);
}

/** The slowest files of each suite that has files. */
function slowTable(results: readonly SuiteResult[]): readonly string[] {
  const lines = results.flatMap(slowFiles);
  return lines.length === 0 ? [] : [`${'slowest files'.padEnd(16)}${'seconds'.padStart(9)}`, ...lines, ''];
}

function failure(suite: string, { where, message }: Failure): readonly string[] {
  const lines = message.trimEnd().split('\n');
  const shown = lines.length > maxLines ? [...lines.slice(0, maxLines - 1), '…'] : lines;
  return [`✗ ${suite}  ${where}`, ...shown.map((line) => `    ${line}`.trimEnd())];
}

function failureList(results: readonly SuiteResult[]): readonly string[] {
  const all = results.flatMap(({ suite, report }) => report.failures.map((one) => failure(suite, one)));
  if (all.length === 0) return [];
  const more = all.length > maxFailures ? [`… and ${all.length - maxFailures} more`] : [];
  return ['', ...all.slice(0, maxFailures).flat(), ...more, ''];
}

/**
 * The slowest files, the table of all suites, every failure (the first 20, of each the first 12 lines), and as the last
 * line the sum: `12 passed, 0 failed`.
 */
export function summary(results: readonly SuiteResult[]): string {
  const total = results.reduce((sum, { report }) => add(sum, report.tally), nothing);
  return [
    ...slowTable(results),
    ...suiteTable(results),
    ...failureList(results),
    `${total.passed} passed, ${total.failed} failed`,
  ].join('\n');
}
