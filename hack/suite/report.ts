import { type Tally, add, nothing } from './tally.ts';

/** What counts as one failure: a test, a hook, a file that cannot be loaded, a gate, a suite that fell over. */
export interface Failure {
  /** `test/e2e/join.test.ts:12 > a node > joins by token`. */
  readonly where: string;
  /** Plain text of any number of lines. */
  readonly message: string;
}

/** How long the tests and hooks of a file took. */
export interface FileTime {
  readonly file: string;
  readonly durationMs: number;
}

/** What a suite leaves behind. */
export interface Report {
  readonly tally: Tally;
  /** As many as the tally's failures, in the order of the files. */
  readonly failures: readonly Failure[];
  readonly files: readonly FileTime[];
}

export const emptyReport: Report = { tally: nothing, failures: [], files: [] };

/** What something counts for that fell over, was interrupted or could not be started. */
export function crash(where: string, message: string): Report {
  return { tally: { ...nothing, failed: 1 }, failures: [{ where, message }], files: [] };
}

export function join(a: Report, b: Report): Report {
  return {
    tally: add(a.tally, b.tally),
    failures: [...a.failures, ...b.failures],
    files: [...a.files, ...b.files],
  };
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value);
const isListOf = <T>(value: unknown, isOne: (one: unknown) => one is T): value is readonly T[] =>
  Array.isArray(value) && value.every(isOne);

const isTally = (value: unknown): value is Tally =>
  isObject(value) && ['passed', 'failed', 'skipped'].every((key) => isCount(value[key]));
const isFailure = (value: unknown): value is Failure =>
  isObject(value) && typeof value['where'] === 'string' && typeof value['message'] === 'string';
const isFileTime = (value: unknown): value is FileTime =>
  isObject(value) && typeof value['file'] === 'string' && typeof value['durationMs'] === 'number';

/** Reads what the reporter wrote; undefined if that is no report. */
export function parseReport(text: string): Report | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return undefined;
    const { tally, failures, files } = value;
    const whole = isTally(tally) && isListOf(failures, isFailure) && isListOf(files, isFileTime);
    return whole ? { tally, failures, files } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The report that a test process leaves behind. A process that wrote none crashed; one that failed although every test
 * passed (in a global teardown for instance) counts as one failure more.
 */
export function settle(written: Report | undefined, exitCode: number): Report {
  const code = `exit code ${exitCode}`;
  if (written === undefined) return crash('vitest', `ended without a report, with ${code}`);
  if (exitCode === 0 || written.tally.failed > 0) return written;
  return join(written, crash('vitest', `failed beside its tests, with ${code}: see what it said above`));
}
