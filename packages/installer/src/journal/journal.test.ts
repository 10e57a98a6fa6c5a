import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SelvedgeError, systemClock } from '@selvedge/kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type HostFiles, createHostFiles } from '../files/index.ts';
import { type Host, createLocalHost } from '../host/index.ts';
import { openJournal, readJournal } from './journal.ts';
import type { JournalRecord } from './records.ts';

const files = createHostFiles(createLocalHost({ clock: systemClock }));
const begun: JournalRecord = {
  kind: 'begun',
  run: 'r1',
  command: 'selvedge convert',
  version: '1',
  at: '2026-01-01T00:00:00Z',
  steps: [{ kind: 'reload' }, { kind: 'reload' }],
};

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-journal-'));
  path = join(folder, 'journal');
  const journal = await openJournal(path, files);
  await journal.write(begun);
  await journal.write({ kind: 'doing', step: 0, before: { kind: 'nothing' } });
  await journal.write({ kind: 'did', step: 0 });
});
afterEach(() => rm(folder, { recursive: true }));

it('a journal is read again by whoever comes next', async () => {
  const { state } = await openJournal(path, files);
  expect(state).toMatchObject({ kind: 'begun', run: 'r1', steps: [{ progress: { kind: 'done' } }, {}] });
});

it('a line that was being written when the power went is none', async () => {
  const whole = await readFile(path, 'utf8');
  await writeFile(path, `${whole}0123456789`);
  const journal = await openJournal(path, files);
  await journal.write({ kind: 'ended', as: 'done' });
  expect((await readFile(path, 'utf8')).startsWith(whole)).toBe(true);
  expect((await openJournal(path, files)).state.kind).toBe('done');
});

it('a line for which the disk has no room is none, and the next one follows what is there', async () => {
  const whole = await readFile(path, 'utf8');
  // A file of no more than 1 KiB is all that it takes.
  const shell = `trap '' XFSZ; ulimit -f 2; exec "$@"`;
  const local = createLocalHost({ clock: systemClock });
  let isFull = true;
  const run: Host['run'] = (command, signal) =>
    local.run(isFull ? { ...command, argv: ['sh', '-c', shell, 'sh', ...command.argv] } : command, signal);
  const journal = await openJournal(path, createHostFiles({ ...local, run }));
  const long = { kind: 'value', value: 'x'.repeat(1_000) } as const;
  const written = journal.write({ kind: 'doing', step: 1, before: long });
  await expect(written).rejects.toMatchObject({ message: /File too large/, hint: /free some space/ });
  expect(await readFile(path, 'utf8')).toBe(whole);
  isFull = false;
  await journal.write({ kind: 'undoing', step: 0 });
  expect((await openJournal(path, files)).state).toMatchObject({
    steps: [{ progress: { kind: 'undoing' } }, {}],
  });
});

it('a line that came, but not the word of it, is followed by the next one', async () => {
  let isLost = true;
  const lossy: HostFiles = {
    ...files,
    async append(...args) {
      await files.append(...args);
      if (isLost) throw new SelvedgeError('nobody knows', { code: 'DeadlineExceeded' });
    },
  };
  const journal = await openJournal(path, lossy);
  await expect(journal.write({ kind: 'undoing', step: 0 })).rejects.toMatchObject({
    code: 'DeadlineExceeded',
  });
  isLost = false;
  await journal.write({ kind: 'undid', step: 0 });
  expect((await openJournal(path, files)).state).toMatchObject({
    steps: [{ progress: { kind: 'undone' } }, {}],
  });
});

it('a damaged journal is refused with what it tells up to there, and can be looked at', async () => {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const damaged = lines
    .map((line, at) => (at === 2 ? line.replace('"step":0', '"step":1') : line))
    .join('\n');
  await writeFile(path, damaged);
  await expect(openJournal(path, files)).rejects.toMatchObject({
    code: 'Corrupt',
    message: `the journal ${path} is damaged at line 3; up to there: run r1 of "selvedge convert", steps: 1 not started, 1 started`,
    hint: expect.stringContaining('no changes were made'),
  });
  expect(await readJournal(path, files)).toMatchObject({
    damagedLine: 3,
    state: { kind: 'begun', steps: [{ progress: { kind: 'doing' } }, {}] },
  });
  expect(await readFile(path, 'utf8')).toBe(damaged);
});

it('where no journal is, nothing was done', async () => {
  expect(await readJournal(join(folder, 'none'), files)).toEqual({
    state: { kind: 'none' },
    damagedLine: undefined,
  });
});
