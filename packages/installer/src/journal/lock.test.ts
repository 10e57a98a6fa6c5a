import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SelvedgeError, systemClock } from '@selvedge/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Host, createLocalHost } from '../host/index.ts';
import { type MachineLock, lockMachine } from './lock.ts';
import { type JournalPlace, forgetJournal, journalPlace, prepareJournal } from './place.ts';

const { signal } = new AbortController();
const host = createLocalHost({ clock: systemClock });
let parent = '';
let place: JournalPlace;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'selvedge-lock-'));
  place = journalPlace(join(parent, 'installer'));
});
afterEach(() => rm(parent, { recursive: true }));

const deps = {
  host,
  clock: systemClock,
  onNote(text: string): void {
    throw new Error(text);
  },
};

const take = (owner: string): Promise<MachineLock> => lockMachine({ owner, place }, deps, signal);
const takeAtOnce = (owner: string): Promise<MachineLock> =>
  lockMachine({ owner, place, waitSeconds: 0 }, deps, signal);

interface Stranger extends AsyncDisposable {
  readonly pid: number;
  /** What it says to a word, as long as nobody has ended it. */
  answer(word: string): Promise<string>;
}

/** A program that has nothing to do with us. */
function startStranger(): Stranger {
  const child = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  child.stdin.on('error', () => undefined);
  return {
    pid: child.pid ?? 0,
    async answer(word) {
      child.stdin.write(word);
      const [said] = await Promise.race([once(child.stdout, 'data'), ended.then(() => ['nothing'])]);
      return `${said}`;
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

describe('the lock of a machine', () => {
  it('is one run’s, which others are told of, and another’s after it', async () => {
    {
      await using held = await take('convert by ann, run 1');
      expect(held.signal.aborted).toBe(false);
      await expect(takeAtOnce('revert by jo, run 2')).rejects.toMatchObject({
        code: 'Conflict',
        message: 'this machine is being changed by another run: convert by ann, run 1',
        hint: expect.any(String),
      });
    }
    await using again = await take('revert by jo, run 2');
    expect(again.signal.aborted).toBe(false);
  });

  it('is lost with the program that holds it, and its holder is told', async () => {
    const lock = await take('run 1');
    const [, pid = ''] = (await readFile(place.lock, 'utf8')).split('\n');
    process.kill(Number(pid), 'SIGKILL');
    await expect.poll(() => lock.signal.aborted).toBe(true);
    expect(lock.signal.reason).toMatchObject({ code: 'Unavailable' });
    await using other = await take('run 2');
    await lock[Symbol.asyncDispose]();
    expect(other.signal.aborted).toBe(false);
    expect(await readFile(place.lock, 'utf8')).toMatch(/^run 2\n/);
  });

  it('is taken over from what the same run left behind', async () => {
    const left = await take('run 1');
    await using lock = await take('run 1');
    await expect.poll(() => left.signal.aborted).toBe(true);
    expect(lock.signal.aborted).toBe(false);
    await expect(takeAtOnce('run 2')).rejects.toMatchObject({ code: 'Conflict' });
  });

  it('of a machine that has booted since ends nobody who has the number of its holder by now', async () => {
    await using stranger = startStranger();
    await prepareJournal(host, place, signal);
    await writeFile(place.lock, `run 1\n${stranger.pid}\n`);
    await using lock = await take('run 1');
    expect(lock.signal.aborted).toBe(false);
    expect(await readFile(place.lock, 'utf8')).not.toContain(`${stranger.pid}`);
    expect(await stranger.answer('here')).toBe('here');
  });

  it('is not waited for by who gave it back, once another has it', async () => {
    const lock = await take('run 1');
    const next = take('run 2');
    await lock[Symbol.asyncDispose]();
    await using other = await next;
    expect(other.signal.aborted).toBe(false);
  });

  it('leaves no program behind when it is given back', async () => {
    // As behind SSH, where what is ended here goes on there.
    const run: Host['run'] = (command, within) =>
      host.run({ ...command, argv: ['setsid', '--wait', ...command.argv] }, within);
    const far = { ...deps, host: { ...host, run } };
    const lock = await lockMachine({ owner: 'run 1', place }, far, signal);
    const [, pid = ''] = (await readFile(place.lock, 'utf8')).split('\n');
    const children = `/proc/${pid}/task/${pid}/children`;
    let child = '';
    await expect.poll(async () => (child = (await readFile(children, 'utf8')).trim())).not.toBe('');
    await lock[Symbol.asyncDispose]();
    for (const gone of [pid, child]) {
      await expect
        .poll(() =>
          stat(`/proc/${gone}`).then(
            () => 'there',
            () => 'gone',
          ),
        )
        .toBe('gone');
    }
  });

  it('that cannot be given back is told, with what ends who holds it', async () => {
    let isAway = false;
    const loss = new SelvedgeError('the machine is lost', { code: 'Unavailable' });
    const run: Host['run'] = (command, within) => (isAway ? Promise.reject(loss) : host.run(command, within));
    const notes: string[] = [];
    const onNote = (text: string): number => notes.push(text);
    const lock = await lockMachine(
      { owner: 'run 1', place },
      { ...deps, host: { ...host, run }, onNote },
      signal,
    );
    isAway = true;
    await lock[Symbol.asyncDispose]();
    expect(notes).toEqual([expect.stringContaining('this machine could not be released')]);
    expect(notes[0]).toContain('the machine is lost');
    const [, typed = ''] = /as root there: (.+)$/.exec(notes[0] ?? '') ?? [];
    // As a machine does that did not hear of the end of the connection.
    const left = await take('run 2');
    const [, pid = ''] = (await readFile(place.lock, 'utf8')).split('\n');
    expect((await host.run({ argv: ['sh', '-c', typed] })).exitCode).toBe(0);
    await expect.poll(() => left.signal.aborted).toBe(true);
    await expect(stat(`/proc/${pid}`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('outlasts the signal of who took it: there are things to put right', async () => {
    const stop = new AbortController();
    const options = { owner: 'run 1', place };
    await using lock = await lockMachine(options, deps, stop.signal);
    stop.abort(new Error('enough'));
    expect(lock.signal.aborted).toBe(false);
    await expect(takeAtOnce('run 2')).rejects.toMatchObject({ code: 'Conflict' });
  });

  it('is not that of a folder that was removed', async () => {
    await using old = await take('run 1');
    await rm(place.folder, { recursive: true });
    await using lock = await take('run 2');
    expect([old.signal.aborted, lock.signal.aborted]).toEqual([false, false]);
  });

  it('is not waited for on a disk that is full', async () => {
    await prepareJournal(host, place, signal);
    const shell = `trap '' XFSZ; ulimit -f 0; exec "$@"`;
    const run: Host['run'] = (command, within) =>
      host.run({ ...command, argv: ['sh', '-c', shell, 'sh', ...command.argv] }, within);
    const full = lockMachine({ owner: 'run 1', place }, { ...deps, host: { ...host, run } }, signal);
    await expect(full).rejects.toMatchObject({ message: /File too large/, hint: /free some space/ });
  });

  it('is not taken where no file can be', async () => {
    await mkdir(join(place.folder, 'lock'), { recursive: true });
    await expect(take('run 1')).rejects.toMatchObject({ code: 'Unavailable' });
  });
});

describe('the place of a journal', () => {
  it('is made by many at once, and goes for many at once', async () => {
    const many = Array.from({ length: 8 });
    await Promise.all(many.map(() => prepareJournal(host, place, signal)));
    expect(await readdir(parent)).toEqual(['installer']);
    await Promise.all(many.map(() => forgetJournal(host, place, signal)));
    expect(await readdir(parent)).toEqual([]);
  });

  it('comes and goes without a trace in the folder that it is in', async () => {
    await utimes(parent, 1_500_000_000.123_456, 1_500_000_000.123_456);
    const before = (await stat(parent, { bigint: true })).mtimeNs;
    await prepareJournal(host, place, signal);
    expect((await stat(place.folder)).mode & 0o777).toBe(0o700);
    await writeFile(place.journal, 'x');
    await prepareJournal(host, place, signal);
    expect(await readFile(place.journal, 'utf8')).toBe('x');
    await forgetJournal(host, place, signal);
    await forgetJournal(host, place, signal);
    expect((await stat(parent, { bigint: true })).mtimeNs).toBe(before);
  });
});
