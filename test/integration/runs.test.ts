import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { systemClock } from '@selvedge/kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cgroupFolders } from '../bed/host/cgroups.ts';
import { mountsBelow } from '../bed/host/mounts.ts';
import { identify } from '../bed/process/proc.ts';
import { openRun } from '../bed/run/run.ts';

/** The owner of a run, with something of each kind. It waits to be killed. */
const ownerProgram = `
  const [, modules, root] = process.argv;
  const { spawn } = await import('node:child_process');
  const { mkdir } = await import('node:fs/promises');
  const { run } = await import('@selvedge/hack/setup');
  const { nameBed, openRun, runName } = await import(modules + '/run/run.ts');
  const { createCgroup } = await import(modules + '/host/cgroups.ts');
  const { systemClock } = await import('@selvedge/kit');
  const own = await openRun({ root }, { clock: systemClock, removeBed: async () => undefined });
  process.env.TMPDIR = own.folder;
  const left = spawn('sleep', ['3600'], { detached: true, stdio: 'ignore' });
  await createCgroup(runName() + '.left');
  await run({ argv: ['ip', 'netns', 'add', runName() + '.left'] });
  await mkdir(own.folder + '/mounted');
  await run({ argv: ['mount', '-t', 'tmpfs', 'tmpfs', own.folder + '/mounted'] });
  const bed = await nameBed('left');
  process.stdout.write(JSON.stringify({ folder: own.folder, name: runName(), bed, pid: left.pid }));
  process.stdin.resume();
`;

interface Left {
  readonly folder: string;
  readonly name: string;
  readonly bed: string;
  readonly pid: number;
}

type Owner = ChildProcessByStdio<null, Readable, null>;

let root: string;
let owner: Owner;
let left: Left;

async function startOwner(): Promise<readonly [Owner, Left]> {
  const argv = ['--input-type=module', '-e', ownerProgram, join(import.meta.dirname, '../bed'), root];
  const child = spawn(process.execPath, argv, {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return [child, JSON.parse(said.toString()) as Left];
}

async function kill(child: Owner): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** What there is of the owner's run, by kind. */
async function traces({ folder, name, pid }: Left): Promise<Readonly<Record<string, boolean>>> {
  const isThere = (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    );
  return {
    folder: await isThere(folder),
    process: (await identify(pid)) !== undefined,
    mount: (await mountsBelow(folder)).length > 0,
    cgroup: (await cgroupFolders(`${name}.left`)).length > 0,
    namespace: await isThere(`/var/run/netns/${name}.left`),
  };
}

const all = { folder: true, process: true, mount: true, cgroup: true, namespace: true };
const none = { folder: false, process: false, mount: false, cgroup: false, namespace: false };

let removed: string[];
const deps = { clock: systemClock, removeBed: async (name: string) => void removed.push(name) };

beforeEach(async () => {
  removed = [];
  root = await mkdtemp(join(tmpdir(), 'selvedge-runs-'));
  [owner, left] = await startOwner();
});
afterEach(async () => {
  owner.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
});

it('leaves a run alone whose process goes on', async () => {
  const next = await openRun({ root }, deps);
  expect(await traces(left)).toEqual(all);
  expect(removed).toEqual([]);
  await next[Symbol.asyncDispose]();
  expect(await readdir(root)).toEqual([left.folder.split('/').at(-1)]);
  await kill(owner);
  await (await openRun({ root }, deps))[Symbol.asyncDispose]();
});

it('removes what a killed run has left when the next one begins', async () => {
  await kill(owner);
  expect(await traces(left)).toEqual(all);
  await using next = await openRun({ root }, deps);
  expect(await traces(left)).toEqual(none);
  expect(removed).toEqual([left.bed]);
  expect(await readdir(root)).toEqual([next.folder.split('/').at(-1)]);
});

it('is removed once by runs that begin at the same time', async () => {
  await kill(owner);
  const beginning = await Promise.all([startOwner(), startOwner()]);
  expect(await traces(left)).toEqual(none);
  const names = beginning.map(([, { name }]) => name);
  expect((await readdir(root)).toSorted()).toEqual(names.toSorted());
  for (const [child] of beginning) await kill(child);
  await (await openRun({ root }, deps))[Symbol.asyncDispose]();
});
