import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type CliHost, runCli } from '@selvedge/installer';
import { systemClock } from '@selvedge/kit';
import { waitFor } from '../bed/wait.ts';

export const selvedgeProgram = join(import.meta.dirname, '../../packages/installer/src/main.ts');

/** One run of the `selvedge` command, without a terminal. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of `--json`: what is on stdout. */
  document(): unknown;
  /** Of `--json`: the lines on stderr. */
  lines(): readonly unknown[];
}

const ranOf = (code: number | null, stdout: string, stderr: string): Ran => ({
  code,
  stdout,
  stderr,
  document: () => JSON.parse(stdout) as unknown,
  lines: () => stderr.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown])),
});

/** Nothing of this machine. */
const emptyHost = {
  env: { LANG: 'C.UTF-8' },
  clock: systemClock,
  random: Math.random,
  version: '0.0.0-test',
  programFolder: '/nonexistent',
  person: { name: 'somebody', home: '/nonexistent', isRoot: false },
  machine: { name: 'somewhere', addresses: [] },
  onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  exit: (code: number): never => {
    throw new Error(`exit ${code}`);
  },
} satisfies Partial<CliHost>;

/** In this process, which is faster: all of the command but its `main.ts`. */
export async function selvedge(args: readonly string[], host: Partial<CliHost> = {}): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const told = Promise.all([text(stdout), text(stderr)]);
  const code = await runCli({ ...emptyHost, args, stdin: Readable.from([]), stdout, stderr, ...host });
  stdout.end();
  stderr.end();
  return ranOf(code, ...(await told));
}

/** As people run it. */
export async function spawnSelvedge(args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [selvedgeProgram, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', LANG: 'C.UTF-8' },
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return ranOf(code, stdout, stderr);
}

/** The arguments of all processes of the machine now. */
async function argumentsNow(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  // Some end meanwhile.
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')));
}

/** All arguments that any process of the machine had while `work` went on. */
export async function argumentsDuring<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly seen: ReadonlySet<string> }> {
  const seen = new Set<string>();
  let isOver = false;
  const working = work().finally(() => {
    isOver = true;
  });
  await waitFor({ what: 'the end of the work', everyMs: 5 }, systemClock, async () => {
    for (const one of await argumentsNow()) seen.add(one);
    return isOver;
  });
  return { result: await working, seen };
}
