import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run, runUnchecked } from './command.ts';

it('gives back what the program printed', async () => {
  expect((await run({ argv: ['cat'], input: 'hello' })).stdout).toBe('hello');
});

it('passes arguments as they are, without a shell', async () => {
  expect((await run({ argv: ['printf', '%s', '$HOME; true'] })).stdout).toBe('$HOME; true');
});

it('tells what a failed program said', async () => {
  const failing = run({ argv: ['sh', '-c', 'echo no luck >&2; exit 3'] });
  await expect(failing).rejects.toThrow(/exit code 3: no luck/);
  expect((await runUnchecked({ argv: ['sh', '-c', 'exit 3'] })).exitCode).toBe(3);
});

it('names a program that is not there', async () => {
  await expect(run({ argv: ['no-such-program'] })).rejects.toMatchObject({
    code: 'NotFound',
    message: 'cannot run no-such-program',
  });
});

it('ends the program and its children when the signal aborts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-command-'));
  const fifo = join(folder, 'fifo');
  await run({ argv: ['mkfifo', fifo] });
  const controller = new AbortController();
  // The grandchild holds the pipe's other end: the reader sees its end only when all of them are gone.
  const reader = spawn('cat', [fifo]);
  const closed = new Promise<void>((resolve) => reader.on('close', () => resolve()));
  const line = 'exec 3>"$0"; echo started >&3; sleep 1000 & wait';
  const running = runUnchecked({ argv: ['sh', '-c', line, fifo], signal: controller.signal });
  await new Promise<void>((resolve) => reader.stdout.once('data', () => resolve()));
  controller.abort(new Error('interrupted'));
  await expect(running).rejects.toThrow('interrupted');
  await closed;
  await rm(folder, { recursive: true });
});

it('keeps only the end of a long output', async () => {
  const { stdout } = await run({ argv: ['sh', '-c', 'seq 1 1000000'] });
  expect(stdout.length).toBeLessThanOrEqual(1024 * 1024);
  expect(stdout.endsWith('999999\n1000000\n')).toBe(true);
});
