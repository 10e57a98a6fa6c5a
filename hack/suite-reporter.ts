import { writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestModule } from 'vitest/node';
import { type Failure, type Report, crash, emptyReport, join } from './suite/report.ts';

/** The part of an error that is told. */
export interface ToldError {
  readonly message: string;
  readonly name?: string;
  /** Of a comparison: what was expected, and what came. */
  readonly diff?: unknown;
  readonly stacks?: readonly { readonly file: string; readonly line: number }[];
}

interface Named {
  readonly fullName: string;
}

/** The part of a test module that is counted. */
export interface CountedModule {
  /** Absolute. */
  readonly moduleId: string;
  readonly relativeModuleId: string;
  readonly children: {
    allTests(): Iterable<
      Named & {
        result(): {
          readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
          readonly errors?: readonly ToldError[] | undefined;
        };
      }
    >;
    allSuites(): Iterable<Named & { errors(): readonly ToldError[] }>;
  };
  errors(): readonly ToldError[];
  diagnostic(): { readonly duration: number };
}

/** How much of an error is kept, in characters. */
const maxMessage = 4_000;

function tell({ name, message, diff }: ToldError): string {
  const text = name === undefined || name === '' ? message : `${name}: ${message}`;
  return stripVTControlCharacters(typeof diff === 'string' ? `${text}\n${diff}` : text);
}

/** One failure, whatever the number of its errors. */
function failureOf(module: CountedModule, errors: readonly ToldError[], names: readonly string[]): Failure {
  const inside = errors.flatMap(({ stacks = [] }) => stacks).find(({ file }) => file === module.moduleId);
  const file = inside === undefined ? module.relativeModuleId : `${module.relativeModuleId}:${inside.line}`;
  const message = errors.length === 0 ? 'did not come to its end' : errors.map(tell).join('\n');
  return { where: [file, ...names].join(' > '), message: message.slice(0, maxMessage) };
}

/** Tests by their state; a test that never ran to its end failed. */
function reportTests(module: CountedModule): Report {
  let report = emptyReport;
  for (const test of module.children.allTests()) {
    const { state, errors = [] } = test.result();
    if (state === 'passed' || state === 'skipped') {
      report = { ...report, tally: { ...report.tally, [state]: report.tally[state] + 1 } };
    } else {
      const { where, message } = failureOf(module, errors, [test.fullName]);
      report = join(report, crash(where, message));
    }
  }
  return report;
}

/** Beside its tests a file can fail as it is loaded, and in the hooks of its suites. */
function reportModule(module: CountedModule): Report {
  const file = { file: module.relativeModuleId, durationMs: module.diagnostic().duration };
  const broken = [...module.children.allSuites()]
    .map((suite) => ({ errors: suite.errors(), names: [suite.fullName, 'a hook'] }))
    .concat({ errors: module.errors(), names: [] })
    .filter(({ errors }) => errors.length > 0)
    .map(({ errors, names }) => failureOf(module, errors, names))
    .map(({ where, message }) => crash(where, message));
  return [reportTests(module), ...broken].reduce(join, { ...emptyReport, files: [file] });
}

/** Reports a whole run. Errors that belong to no test count as one failure. */
export function reportRun(modules: readonly CountedModule[], unhandled: readonly ToldError[]): Report {
  const message = unhandled.map(tell).join('\n').slice(0, maxMessage);
  const loose = unhandled.length > 0 ? crash('outside of any test', message) : emptyReport;
  return [...modules.map(reportModule), loose].reduce(join, emptyReport);
}

/**
 * A vitest reporter that writes a `Report` as JSON to the file named by `SELVEDGE_REPORT` when the run ends. No file
 * means that vitest crashed.
 */
export default class SuiteReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly ToldError[]): void {
    const file = process.env['SELVEDGE_REPORT'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(reportRun(modules, unhandledErrors)));
  }
}
