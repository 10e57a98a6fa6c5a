import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { runUnchecked } from './command.ts';

const module = join(import.meta.dirname, 'tool.ts');

const program = (work: string): string =>
  `import { runTool } from ${JSON.stringify(module)};
   process.exitCode = await runTool(async (signal) => { ${work} });`;

const argv = (work: string): [string, ...string[]] => [
  process.execPath,
  '--input-type=module',
  '--eval',
  program(work),
];

it('gives back the exit code of the work', async () => {
  expect((await runUnchecked({ argv: argv('return 7') })).exitCode).toBe(7);
});

it('tells an error and exits with 1', async () => {
  const { exitCode, stderr } = await runUnchecked({ argv: argv('throw new Error("no luck")') });
  expect([exitCode, stderr]).toEqual([1, 'no luck\n']);
});

const waiting = `
  const { promise, reject } = Promise.withResolvers();
  signal.addEventListener('abort', () => { process.stdout.write('cleaned up'); reject(signal.reason); });
  const alive = setTimeout(() => undefined, 60_000);
  process.stdout.write('ready ');
  await promise.finally(() => clearTimeout(alive));`;

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('cleans up at %s and exits with %i', async (name, expected) => {
  const [file, ...args] = argv(waiting);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const output = text(child.stdout);
  await once(child.stdout, 'readable');
  child.kill(name);
  const [exitCode] = await once(child, 'close');
  expect(exitCode).toBe(expected);
  expect(await output).toBe('ready cleaned up');
});

it('ends quietly when nobody reads its output', async () => {
  const endless = `for (;;) if (!process.stdout.write('x'.repeat(65_536))) {
    await new Promise((resolve) => process.stdout.once('drain', resolve)); }`;
  const [file, ...args] = argv(endless);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const complaints = text(child.stderr);
  await once(child.stdout, 'readable');
  child.stdout.destroy();
  const [exitCode] = await once(child, 'close');
  expect([exitCode, await complaints]).toEqual([141, '']);
});
