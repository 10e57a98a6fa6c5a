import { SelvedgeError, aborted } from '@selvedge/kit';
import { type ManualClock, createManualClock } from '@selvedge/kit/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Progress } from '../../command/index.ts';
import { styleOf, widthOf } from '../text/index.ts';
import { problemOf } from '../errors/index.ts';
import { createJsonReporter, createLiveReporter, createPlainReporter, createProgress } from './index.ts';

let clock: ManualClock;
let written: string[];
const write = (text: string): void => void written.push(text);
const plain = styleOf(false, { LANG: 'C.UTF-8' });

beforeEach(() => {
  clock = createManualClock();
  written = [];
});

/** Two nodes of which one fails, with all that can be told. */
async function convertTwo(progress: Progress): Promise<void> {
  progress.note('the token is abcdef.0123456789abcdef');
  await progress.task('convert shop-1', async (node) => {
    await node.task('copy', async (step) => {
      step.note('edge-lite\u001B[2J');
      await clock.advance(1_500);
    });
  });
  await progress
    .task('convert shop-2', (node) =>
      node.task('restart', async () => {
        await clock.advance(500);
        throw new SelvedgeError('no', { code: 'Unavailable' });
      }),
    )
    .catch(() => undefined);
}

describe('lines with their time', () => {
  it('say where they are and how long it took, and no secret', async () => {
    const progress = createProgress(createPlainReporter({ clock, write, style: plain }), clock);
    await convertTwo(progress);
    expect(written).toEqual([
      '2026-01-01T00:00:00Z the token is [bootstrap token]\n',
      '2026-01-01T00:00:00Z > convert shop-1\n',
      '2026-01-01T00:00:00Z > convert shop-1 / copy\n',
      '2026-01-01T00:00:00Z   convert shop-1 / copy: edge-lite [2J\n',
      '2026-01-01T00:00:01Z ✓ convert shop-1 / copy (1.5 s)\n',
      '2026-01-01T00:00:01Z ✓ convert shop-1 (1.5 s)\n',
      '2026-01-01T00:00:01Z > convert shop-2\n',
      '2026-01-01T00:00:01Z > convert shop-2 / restart\n',
      '2026-01-01T00:00:02Z ✗ convert shop-2 / restart (0.5 s)\n',
      '2026-01-01T00:00:02Z ✗ convert shop-2 (0.5 s)\n',
    ]);
  });
});

describe('lines of JSON', () => {
  it('have the same, each a document', async () => {
    const progress = createProgress(createJsonReporter({ clock, write }), clock);
    await convertTwo(progress);
    const lines = written.map((line) => JSON.parse(line) as object);
    expect(lines[2]).toEqual({
      time: '2026-01-01T00:00:00.000Z',
      kind: 'Task',
      state: 'started',
      id: 2,
      parent: 1,
      path: ['convert shop-1', 'copy'],
    });
    expect(lines.at(-1)).toMatchObject({ state: 'failed', path: ['convert shop-2'], durationMs: 500 });
  });

  it('tell a task that Ctrl-C ended from one that failed', async () => {
    const progress = createProgress(createJsonReporter({ clock, write }), clock);
    await progress.task('wait', () => Promise.reject(aborted('selvedge'))).catch(() => undefined);
    expect(JSON.parse(written.at(-1) ?? '')).toMatchObject({ state: 'stopped' });
  });
});

/** What is on a terminal after all that was written: it knows what the reporter uses, and breaks lines that are too long. */
function screen(columns: number): readonly string[] {
  let lines: string[] = [''];
  const sequences = written.join('').matchAll(/\p{Cc}\[(\d*)([AJ])|(\r)|(\n)|(\P{Cc}+)/gu);
  for (const [, count, kind, , newline, text] of sequences) {
    if (kind === 'A') lines = lines.slice(0, lines.length - Number(count));
    else if (newline !== undefined) lines.push('');
    else if (text !== undefined) {
      if (widthOf(text) > columns) throw new Error(`too wide: ${text}`);
      lines[lines.length - 1] = text;
    }
    if (kind === 'A') lines[lines.length - 1] = '';
  }
  return lines.slice(0, -1);
}

describe('a live list', () => {
  const size = { columns: 60, rows: 24 };
  const create = (): ReturnType<typeof createLiveReporter> =>
    createLiveReporter({
      terminal: { write, columns: () => size.columns, rows: () => size.rows },
      clock,
      style: plain,
    });

  beforeEach(() => {
    Object.assign(size, { columns: 60, rows: 24 });
  });

  it('shows what runs, with what is in it and for how long, in its place', async () => {
    const reporter = create();
    const { promise, resolve } = Promise.withResolvers<void>();
    const work = createProgress(reporter, clock).task('convert shop-1', async (node) => {
      await node.task('copy', async () => undefined);
      await node.task('verify', async (step) => {
        step.note('not Ready yet');
        await promise;
      });
    });
    await clock.advance(2_000);
    expect(screen(60)).toEqual([
      '⠋ convert shop-1  2.0 s',
      '  ✓ copy  0.0 s',
      '  ⠋ verify  2.0 s  not Ready yet',
    ]);
    resolve();
    await work;
    await reporter.end();
    expect(screen(60)).toEqual(['✓ convert shop-1  2.0 s']);
    expect(clock.sleepers).toBe(0);
  });

  it('leaves of a task that failed what failed in it', async () => {
    const reporter = create();
    await convertTwo(createProgress(reporter, clock));
    await reporter.end();
    expect(screen(60)).toEqual([
      'the token is [bootstrap token]',
      '✓ convert shop-1  1.5 s',
      '✗ convert shop-2  0.5 s',
      '  ✗ restart  0.5 s',
    ]);
  });

  it('is no wider than a narrow terminal and no longer than a low one', async () => {
    Object.assign(size, { columns: 24, rows: 5 });
    const reporter = create();
    const { promise, resolve } = Promise.withResolvers<void>();
    const progress = createProgress(reporter, clock);
    const works = Array.from({ length: 9 }, (_, at) =>
      progress.task(`convert the node shop-${at}`, () => promise),
    );
    await clock.advance(100);
    expect(screen(24)).toEqual([
      '⠙ convert the n…  0.1 s',
      '⠙ convert the n…  0.1 s',
      '⠙ convert the n…  0.1 s',
      '6 more lines',
    ]);
    resolve();
    await Promise.all(works);
    await reporter.end();
    expect(screen(24)).toHaveLength(9);
  });

  it('gives the terminal away while somebody is asked, and goes on below the answer', async () => {
    const reporter = create();
    const { promise, resolve } = Promise.withResolvers<void>();
    const work = createProgress(reporter, clock).task('look', () => promise);
    await clock.advance(100);
    await reporter.aside(async () => {
      expect(screen(60)).toEqual([]);
      write('Go on? yes\n');
      await clock.advance(1_000);
      expect(screen(60)).toEqual(['Go on? yes']);
    });
    await clock.advance(100);
    expect(screen(60)).toEqual(['Go on? yes', expect.stringMatching(/look {2}1\.2 s/)]);
    resolve();
    await work;
    await reporter.end();
  });

  it('tells an error in lines that fit', async () => {
    Object.assign(size, { columns: 30 });
    const reporter = create();
    const cause = new Error('connect ECONNREFUSED 192.0.2.1:6443');
    const error = new SelvedgeError('the API server cannot be reached', {
      code: 'Unavailable',
      cause,
      hint: 'see the firewall between here and there',
    });
    reporter.tell({ kind: 'problem', problem: problemOf(error) });
    await reporter.end();
    expect(screen(40)).toEqual([
      'selvedge: the API server',
      '  cannot be reached',
      '  why   connect ECONNREFUSED',
      '        192.0.2.1:6443',
      '  next  see the firewall',
      '        between here and there',
    ]);
  });
});
