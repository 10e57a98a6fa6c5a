import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runUnchecked } from './setup/index.ts';
import { type CountedModule, type ToldError, reportRun } from './suite-reporter.ts';
import { type Report, parseReport, settle } from './suite/report.ts';

type State = 'passed' | 'failed' | 'skipped' | 'pending';

interface ModuleInput {
  readonly states?: readonly State[];
  readonly errors?: readonly ToldError[];
  readonly hookErrors?: readonly ToldError[];
}

const error = (message: string): ToldError => ({ name: 'Error', message });

function module({ states = [], errors = [], hookErrors = [] }: ModuleInput): CountedModule {
  const thrown = { name: 'AssertionError', message: 'expected 1 to be 2', diff: '\u001B[31m- 2\u001B[39m' };
  const stacks = [
    { file: '/repo/support.ts', line: 9 },
    { file: '/repo/a.test.ts', line: 12 },
  ];
  const result = (state: State): { state: State; errors: readonly ToldError[] } => ({
    state,
    errors: state === 'failed' ? [{ ...thrown, stacks }] : [],
  });
  return {
    moduleId: '/repo/a.test.ts',
    relativeModuleId: 'a.test.ts',
    children: {
      allTests: () => states.map((state) => ({ fullName: `is ${state}`, result: () => result(state) })),
      allSuites: () => [{ fullName: 'a suite', errors: () => hookErrors }],
    },
    errors: () => errors,
    diagnostic: () => ({ duration: 1_500 }),
  };
}

describe('reportRun', () => {
  it('counts tests by their state over all files, and how long a file takes', () => {
    const run = [
      module({ states: ['passed', 'passed', 'failed'] }),
      module({ states: ['passed', 'skipped'] }),
    ];
    const { tally, files } = reportRun(run, []);
    expect(tally).toEqual({ passed: 3, failed: 1, skipped: 1 });
    expect(files).toEqual(Array.from({ length: 2 }, () => ({ file: 'a.test.ts', durationMs: 1_500 })));
  });

  it('tells which line of which test failed, and how, in plain text', () => {
    expect(reportRun([module({ states: ['passed', 'failed'] })], []).failures).toEqual([
      { where: 'a.test.ts:12 > is failed', message: 'AssertionError: expected 1 to be 2\n- 2' },
    ]);
  });

  it('takes a test that never ended as failed', () => {
    const { tally, failures } = reportRun([module({ states: ['pending'] })], []);
    expect(tally).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(failures).toEqual([{ where: 'a.test.ts > is pending', message: 'did not come to its end' }]);
  });

  it('takes a file that cannot be loaded, and a hook that fails, as one failure each', () => {
    const { tally, failures } = reportRun(
      [
        module({ errors: [error('no such module')] }),
        module({ states: ['passed'], hookErrors: [error('no bed')] }),
      ],
      [],
    );
    expect(tally).toEqual({ passed: 1, failed: 2, skipped: 0 });
    expect(failures).toEqual([
      { where: 'a.test.ts', message: 'Error: no such module' },
      { where: 'a.test.ts > a suite > a hook', message: 'Error: no bed' },
    ]);
  });

  it('takes errors that belong to no test as one failure', () => {
    const { tally, failures } = reportRun([module({ states: ['passed'] })], [error('one'), error('other')]);
    expect(tally).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(failures).toEqual([{ where: 'outside of any test', message: 'Error: one\nError: other' }]);
  });
});

/** Runs real vitest on one file and reads what it left behind. */
async function reportOf(source: string): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-reporter-'));
  const report = join(folder, 'report.json');
  const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs');
  const reporter = join(import.meta.dirname, 'suite-reporter.ts');
  try {
    await writeFile(join(folder, 'a.test.js'), source);
    const { exitCode } = await runUnchecked({
      argv: [process.execPath, vitest, 'run', '--root', folder, '--globals', `--reporter=${reporter}`],
      env: { SELVEDGE_REPORT: report },
    });
    return settle(parseReport(await readFile(report, 'utf8').catch(() => '')), exitCode);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('a real run', () => {
  it.each([
    [
      'tests',
      `it('a', () => {}); it('b', () => expect([1]).toEqual([2])); it.skip('c', () => {})`,
      [1, 1, 1],
      ['a.test.js:1 > b', 'AssertionError: expected [ 1 ] to deeply equal [ 2 ]'],
    ],
    [
      'a file that cannot be loaded',
      `throw new Error('loading')`,
      [0, 1, 0],
      ['a.test.js:1', 'Error: loading'],
    ],
    [
      'a hook that fails',
      `describe('s', () => { afterAll(() => { throw new Error('hook') }); it('a', () => {}) })`,
      [1, 1, 0],
      ['a.test.js:1 > s > a hook', 'Error: hook'],
    ],
    [
      'a rejection that nobody handles',
      `it('a', () => { void Promise.reject(new Error('loose')) })`,
      [1, 1, 0],
      ['outside of any test', 'Error: loose'],
    ],
    [
      'a worker that dies',
      `it('a', () => { process.kill(process.pid, 'SIGKILL') })`,
      [0, 2, 0],
      ['a.test.js > a', 'did not come to its end'],
    ],
  ])('reports %s', async (_name, source, [passed, failed, skipped], [where, message]) => {
    const { tally, failures } = await reportOf(source);
    expect(tally).toEqual({ passed, failed, skipped });
    expect(failures).toHaveLength(failed ?? 0);
    expect(failures[0]?.where).toBe(where);
    expect(failures[0]?.message.split('\n')[0]).toBe(message);
  });
});
