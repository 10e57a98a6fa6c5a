import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run, runUnchecked } from './setup/index.ts';

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'selvedge-shims-'));
});

afterEach(() => rm(cache, { recursive: true }));

const shim = (name: string): string => join(import.meta.dirname, name);

it('says what to do where npm is missing', async () => {
  const env = { XDG_CACHE_HOME: cache, PATH: '/nonexistent' };
  const { exitCode, stderr } = await runUnchecked({ argv: [shim('pnpm'), '--version'], env });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('apt-get install npm');
  expect(await readdir(cache)).toEqual([]);
});

it('says what to do on a machine that is not Linux x64', async () => {
  const uname = join(cache, 'uname');
  await run({ argv: ['sh', '-c', 'printf "#!/bin/sh\\necho Darwin arm64\\n" >"$0"; chmod +x "$0"', uname] });
  const env = { PATH: `${cache}:/usr/bin:/bin` };
  for (const name of ['test', 'try', 'bed', 'cluster']) {
    const { exitCode, stderr } = await runUnchecked({ argv: [shim(name), '--help'], env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('this machine is Darwin arm64');
  }
});

it('gives a program its arguments as they are, and the pinned Node', async () => {
  const argv = [shim('setup/run.sh'), 'hack/suite/main.ts', '--node', 'a b'] as const;
  const { exitCode, stdout, stderr } = await runUnchecked({ argv });
  expect(exitCode).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain("option '--node <major>' argument 'a b' is invalid");
});
