import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ifPresent } from '@selvedge/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachArgv } from './scripts.ts';

/** Enters nothing: the namespaces are these already. */
const nsenter = `#!/bin/sh
while [ "$1" != /usr/bin/env ]; do shift; done
exec "$@"
`;

/** The half minutes of the watchdog pass when the test says so: each takes a file. */
const sleep = `#!/bin/sh
[ "$1" = 30 ] || exec /bin/sleep "$@"
cd "$(dirname "$0")"
until rm tick 2> /dev/null; do /bin/sleep 0.01; done
`;

let folder = '';
const at = (name: string): string => join(folder, name);
const isThere = async (path: string): Promise<boolean> => (await ifPresent(stat(path))) !== undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-shell-'));
  await writeFile(at('nsenter'), nsenter, { mode: 0o755 });
  await writeFile(at('sleep'), sleep, { mode: 0o755 });
});
afterEach(() => rm(folder, { recursive: true }));

/** Asks for a program, as an installer does. Default: one that does not end by itself. */
function attach(
  argv: readonly [string, ...string[]] = ['sleep', '1000'],
): ChildProcess & { readonly stdout: NonNullable<ChildProcess['stdout']> } {
  const run = { argv, stdin: Buffer.alloc(0), maxBytes: 1_000 } as const;
  const [program, ...args] = attachArgv({ folder: at('1'), ...run }, []);
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` };
  return spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The pid of what leads all that comes of the program. */
async function begun(): Promise<number> {
  await expect.poll(() => isThere(at('1/pid'))).toBe(true);
  return Number(await readFile(at('1/pid'), 'utf8'));
}

async function halfAMinute(): Promise<void> {
  await writeFile(at('tick'), '');
  await expect.poll(() => isThere(at('tick'))).toBe(false);
}

async function processesOf(group: number): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = pids.map(async (pid) => {
    // Its name, which is in parentheses, may hold anything.
    const status = await ifPresent(readFile(`/proc/${pid}/stat`, 'utf8')).catch(() => undefined);
    const [state, , of] = status?.split(') ').at(-1)?.split(' ') ?? [];
    return Number(of) === group && state !== 'Z' ? [pid] : [];
  });
  return (await Promise.all(all)).flat();
}

describe('a program behind a Job', () => {
  it('ends, with all that came of it, when nobody has asked for it for two minutes; who asks later is told', async () => {
    const asking = attach();
    const pid = await begun();
    asking.kill('SIGKILL');
    await once(asking, 'close');
    await rm(at('1/seen'), { force: true });
    for (let misses = 0; misses < 3; misses += 1) await halfAMinute();
    expect(await processesOf(pid)).not.toEqual([]);
    expect(await isThere(at('1/code'))).toBe(false);
    await halfAMinute();
    await expect.poll(() => processesOf(pid)).toEqual([]);
    expect(await text(attach().stdout)).toBe('begun\nended 137\n');
  });

  it('leaves no process when it has ended', async () => {
    const asking = attach(['echo', 'said']);
    const pid = await begun();
    expect(await text(asking.stdout)).toBe('new\nended 0\nsaid\n');
    await expect.poll(() => processesOf(pid)).toEqual([]);
  });

  it('goes on as long as somebody asks for it', async () => {
    const asking = attach();
    const pid = await begun();
    try {
      for (let passed = 0; passed < 6; passed += 1) {
        await expect.poll(() => isThere(at('1/seen'))).toBe(true);
        await halfAMinute();
      }
      expect(await isThere(at('1/code'))).toBe(false);
    } finally {
      process.kill(-pid, 'SIGKILL');
      asking.kill('SIGKILL');
      await once(asking, 'close');
    }
  });
});
