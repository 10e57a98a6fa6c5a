import { appendFile, copyFile, mkdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import { createHostFiles } from '../files/index.ts';
import type { Host, HostResult } from '../host/index.ts';
import type { Executor } from './executor.ts';
import { type TestDisk, createTestDisk } from './testing-disk.ts';
import type { UserStep } from './types.ts';
import { userExecutor } from './user-step.ts';

const { signal } = new AbortController();
const step: UserStep = { kind: 'user', name: 'cloud-manager', description: 'Selvedge cloud-manager' };
const files = ['passwd', 'group', 'shadow', 'gshadow'] as const;
const answer = (exitCode: number): HostResult => ({
  exitCode,
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
});

/** What systemd-sysusers does: a copy of each file beside it, and another file in its place. */
async function addUser(etc: string): Promise<void> {
  await appendFile(join(etc, '.pwd.lock'), '');
  for (const file of files) {
    const path = join(etc, file);
    if ((await readFile(path, 'utf8')).includes(`${step.name}:`)) continue;
    await copyFile(path, `${path}.new`);
    await rename(`${path}.new`, `${path}-`);
    await copyFile(path, `${path}.new`);
    await appendFile(`${path}.new`, `${step.name}:x:997:\n`);
    await rename(`${path}.new`, path);
  }
}

async function removeUser(etc: string): Promise<void> {
  for (const file of files) {
    const path = join(etc, file);
    const lines = (await readFile(path, 'utf8')).split('\n');
    await writeFile(path, lines.filter((line) => !line.startsWith(`${step.name}:`)).join('\n'));
  }
}

/** A machine whose programs know users from that folder. */
function withUsers(host: Host, etc: string): Host {
  const programs: Readonly<Record<string, () => Promise<HostResult>>> = {
    getent: async () =>
      answer((await readFile(join(etc, 'passwd'), 'utf8')).includes(`${step.name}:`) ? 0 : 2),
    'systemd-sysusers': async () => addUser(etc).then(() => answer(0)),
    userdel: async () => removeUser(etc).then(() => answer(0)),
  };
  return { ...host, run: (command, within) => programs[command.argv[0]]?.() ?? host.run(command, within) };
}

interface Machine extends AsyncDisposable {
  readonly disk: TestDisk;
  readonly etc: string;
  readonly user: Executor<UserStep>;
}

async function machine(): Promise<Machine> {
  const disk = await createTestDisk();
  const etc = join(disk.folder, 'etc');
  await mkdir(etc);
  for (const file of files) {
    await writeFile(join(etc, file), `root:x:0:\n${file}:x:1:\n`, {
      mode: file.endsWith('shadow') ? 0o640 : 0o644,
    });
    await utimes(join(etc, file), 1_500_000_000, 1_500_000_000);
  }
  // One of the copies is there already.
  await writeFile(join(etc, 'passwd-'), 'root:x:0:\n');
  const host = withUsers(disk.host, etc);
  const sources = (): Promise<Uint8Array> => Promise.reject(new Error('nothing is uploaded'));
  const deps = { host, files: createHostFiles(host), run: 'r1', clock: systemClock, sources };
  return {
    disk,
    etc,
    user: userExecutor(deps, etc),
    [Symbol.asyncDispose]: () => disk[Symbol.asyncDispose](),
  };
}

/** Without the folder, whose time of change is another step's. */
async function filesOf({ disk }: Machine): Promise<readonly (readonly [path: string, state: string])[]> {
  return [...(await disk.look())].filter(([path]) => path !== 'etc');
}

describe('a user of ours', () => {
  it('goes without a trace: the files of users are those that were, times and inodes included', async () => {
    await using on = await machine();
    const before = await filesOf(on);
    const was = await on.user.look(step, signal);
    await on.user.apply(step, was, signal);
    await on.user.apply(step, was, signal);
    expect(await readFile(join(on.etc, 'passwd'), 'utf8')).toContain(step.name);
    expect((await stat(join(on.etc, '.shadow.selvedge-r1'))).mode & 0o777).toBe(0o640);
    await on.user.undo(step, was, signal);
    await on.user.undo(step, was, signal);
    expect(await filesOf(on)).toEqual(before);
  });

  it('goes alone where somebody made another one since', async () => {
    await using on = await machine();
    const was = await on.user.look(step, signal);
    await on.user.apply(step, was, signal);
    await appendFile(join(on.etc, 'passwd'), 'ann:x:1000:\n');
    await on.user.undo(step, was, signal);
    expect(await readFile(join(on.etc, 'passwd'), 'utf8')).toBe('root:x:0:\npasswd:x:1:\nann:x:1000:\n');
    expect([...(await on.disk.look()).keys()].filter((name) => name.includes('selvedge'))).toEqual([]);
  });

  it('that is there already stays', async () => {
    await using on = await machine();
    await addUser(on.etc);
    const before = await filesOf(on);
    const was = await on.user.look(step, signal);
    expect(was).toEqual({ kind: 'there' });
    await on.user.apply(step, was, signal);
    await on.user.undo(step, was, signal);
    expect(await filesOf(on)).toEqual(before);
  });
});
