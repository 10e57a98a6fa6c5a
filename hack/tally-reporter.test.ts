import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseTally, settle } from './suite/tally.ts';
import { runUnchecked } from './setup/index.ts';
import { type CountedModule, countRun } from './tally-reporter.ts';

type State = 'passed' | 'failed' | 'skipped' | 'pending';

function module(states: readonly State[], errors = 0, hookErrors = 0): CountedModule {
  const suite = { errors: () => Array.from({ length: hookErrors }, () => new Error('hook')) };
  return {
    children: {
      allTests: () => states.map((state) => ({ result: () => ({ state }) })),
      allSuites: () => [suite],
    },
    errors: () => Array.from({ length: errors }, () => new Error('loading')),
  };
}

describe('countRun', () => {
  it('counts tests by their state over all files', () => {
    const run = [module(['passed', 'passed', 'failed']), module(['passed', 'skipped'])];
    expect(countRun(run, [])).toEqual({ passed: 3, failed: 1, skipped: 1 });
  });

  it('counts a test that never ended as failed', () => {
    expect(countRun([module(['pending'])], [])).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('counts a file that cannot be loaded and a hook that fails', () => {
    expect(countRun([module([], 1)], [])).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(countRun([module(['passed'], 0, 1)], [])).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  it('counts errors that belong to no test', () => {
    const loose = [new Error('unhandled'), new Error('unhandled')];
    expect(countRun([module(['passed'])], loose)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });
});

/** Runs real vitest on one file and reads what it left behind. */
async function tallyOf(source: string): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-reporter-'));
  const tally = join(folder, 'tally.json');
  const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs');
  const reporter = join(import.meta.dirname, 'tally-reporter.ts');
  try {
    await writeFile(join(folder, 'a.test.js'), source);
    const { exitCode } = await runUnchecked({
      argv: [process.execPath, vitest, 'run', '--root', folder, '--globals', `--reporter=${reporter}`],
      env: { SELVEDGE_TALLY: tally },
    });
    return settle(parseTally(await readFile(tally, 'utf8').catch(() => '')), exitCode);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('a real run', { timeout: 60_000 }, () => {
  it.each([
    ['tests', `it('a', () => {}); it('b', () => expect(1).toBe(2)); it.skip('c', () => {})`, [1, 1, 1]],
    ['a file that cannot be loaded', `throw new Error('loading')`, [0, 1, 0]],
    [
      'a hook that fails',
      `describe('s', () => { afterAll(() => { throw new Error() }); it('a', () => {}) })`,
      [1, 1, 0],
    ],
    ['a rejection that nobody handles', `it('a', () => { void Promise.reject(new Error()) })`, [1, 1, 0]],
    ['a worker that dies', `it('a', () => { process.kill(process.pid, 'SIGKILL') })`, [0, 2, 0]],
  ])('counts %s', async (_name, source, [passed, failed, skipped]) => {
    expect(await tallyOf(source)).toEqual({ passed, failed, skipped });
  });
});
