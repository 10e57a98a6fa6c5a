import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, systemClock } from '@selvedge/kit';
import { describe, expect, it, vi } from 'vitest';
import { createHostFiles } from '../files/index.ts';
import type { Host } from '../host/index.ts';
import { openJournal } from '../journal/index.ts';
import { createExecutors } from './executors.ts';
import { applySteps, undoSteps } from './run.ts';
import { createTestDisk, losing, type TestDisk } from './testing-disk.ts';
import type { Step } from './types.ts';

vi.setConfig({ testTimeout: 300_000 });

const { signal } = new AbortController();
/** Each try is a few hundred programs. The two ways of losing a machine begin apart, so that they meet other commands. */
const stride = 5;
const first = { before: 0, after: 2 } as const;
const old = { kubelet: 'server: https://cloud:6443\n', stale: 'gone when converted\n' };

const program = Buffer.from('edge-lite\n');

/** What a conversion does, with files alone. */
function stepsIn(folder: string): readonly Step[] {
  return [
    { kind: 'folder', path: join(folder, 'etc/selvedge'), mode: 0o700 },
    { kind: 'file', path: join(folder, 'etc/selvedge/edge-lite.yaml'), mode: 0o600, content: 'node: {}\n' },
    { kind: 'file', path: join(folder, 'etc/kubelet.conf'), mode: 0o640, content: 'server: https://hub\n' },
    { kind: 'absent', path: join(folder, 'etc/stale.conf') },
    { kind: 'absent', path: join(folder, 'etc/never.conf') },
  ];
}

async function vanilla(): Promise<TestDisk> {
  const disk = await createTestDisk();
  const etc = join(disk.folder, 'etc');
  await mkdir(etc);
  await writeFile(join(etc, 'kubelet.conf'), old.kubelet, { mode: 0o604 });
  await writeFile(join(etc, 'stale.conf'), old.stale);
  await utimes(join(etc, 'kubelet.conf'), 1_500_000_000.123_456, 1_500_000_000.123_456);
  return disk;
}

/** One start of the program: reads the journal, and goes on. */
async function start(disk: TestDisk, host: Host, way: 'apply' | 'undo'): Promise<void> {
  const files = createHostFiles(host);
  const journal = await openJournal(disk.journal, files, signal);
  if (journal.state.kind === 'none') {
    if (way === 'undo') return;
    const at = '2026-01-01T00:00:00Z';
    const steps = stepsIn(disk.folder);
    await journal.write({ kind: 'begun', run: 'r1', command: 'convert', version: '0', at, steps }, signal);
  }
  const executors = createExecutors({
    host,
    files,
    run: 'r1',
    clock: systemClock,
    sources: async () => program,
  });
  const deps = { journal, executors, onEvent: () => undefined };
  await (way === 'apply' ? applySteps(deps, signal) : undoSteps(deps, signal));
}

async function converted(disk: TestDisk): Promise<boolean> {
  const text = await readFile(join(disk.folder, 'etc/kubelet.conf'), 'utf8');
  const names = [...(await disk.look()).keys()];
  return text === 'server: https://hub\n' && !names.includes('etc/stale.conf');
}

/** True if it was lost on the way. */
async function isLost(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => false,
    (error: unknown) => {
      if (hasCode(error, 'Unavailable')) return true;
      throw error;
    },
  );
}

describe('a run', () => {
  it('does its steps, and takes them back to the bytes, modes, owners, times and inodes that were', async () => {
    await using disk = await vanilla();
    const before = await disk.look();
    await start(disk, disk.host, 'apply');
    expect(await converted(disk)).toBe(true);
    const { mode } = await stat(join(disk.folder, 'etc/kubelet.conf'));
    expect((mode & 0o777).toString(8)).toBe('640');
    await start(disk, disk.host, 'undo');
    expect(await disk.look()).toEqual(before);
  });

  it.each(['before', 'after'] as const)('that is lost %s a command goes on, forth and back', async (when) => {
    for (let at = first[when]; ; at += stride) {
      await using disk = await vanilla();
      const before = await disk.look();
      const lost = await isLost(start(disk, losing(disk.host, at, when), 'apply'));
      // Half of them go on before they go back.
      const goesOn = at % 2 === 0;
      if (goesOn) await start(disk, disk.host, 'apply');
      expect([at, lost && goesOn && !(await converted(disk))]).toEqual([at, false]);
      await start(disk, disk.host, 'undo');
      expect(await disk.look(), `lost ${when} command ${at}`).toEqual(before);
      if (!lost) return;
    }
  });

  it.each(['before', 'after'] as const)('that is lost %s a command on the way back goes on', async (when) => {
    for (let at = first[when]; ; at += stride) {
      await using disk = await vanilla();
      const before = await disk.look();
      await start(disk, disk.host, 'apply');
      const lost = await isLost(start(disk, losing(disk.host, at, when), 'undo'));
      await start(disk, disk.host, at % 2 === 0 ? 'undo' : 'apply');
      await start(disk, disk.host, 'undo');
      expect(await disk.look(), `lost ${when} command ${at}`).toEqual(before);
      if (!lost) return;
    }
  });

  it('does not take back what somebody changed since, and loses none of it', async () => {
    await using disk = await vanilla();
    await start(disk, disk.host, 'apply');
    const path = join(disk.folder, 'etc/kubelet.conf');
    await writeFile(path, 'by hand\n');
    await expect(start(disk, disk.host, 'undo')).rejects.toMatchObject({
      code: 'Conflict',
      hint: /move one/,
    });
    expect(await readFile(path, 'utf8')).toBe('by hand\n');
    expect(await readFile(join(disk.folder, 'etc/.kubelet.conf.selvedge-r1'), 'utf8')).toBe(old.kubelet);
  });
});
