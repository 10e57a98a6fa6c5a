import { createHash } from 'node:crypto';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { hasCode } from '@selvedge/kit';
import { createHostFiles } from '../files/index.ts';
import type { Host } from '../host/index.ts';
import { openJournal } from '../journal/index.ts';
import { createExecutors } from './executors.ts';
import { applySteps, undoSteps } from './run.ts';
import { hastyClock } from './testing-clock.ts';
import { type TestDisk, createTestDisk, losing } from './testing-disk.ts';
import type { Step } from './types.ts';

const { signal } = new AbortController();
const kubelet = 'kubelet.service';
const program = Buffer.from('edge-lite, the program\n');
const edgeLite = 'edge-lite.service';

export const texts = {
  kubelet: 'server: https://cloud:6443\n# by hand\n',
  converted: 'server: https://hub\n# by hand\n',
} as const;

const sha256 = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');

/** What a conversion does: each kind of step. */
function stepsIn(folder: string): readonly Step[] {
  const at = (path: string): string => join(folder, path);
  const old = 'https://cloud:6443';
  return [
    { kind: 'times', paths: [at('bin'), at('etc'), at('etc/systemd'), at('var'), at('never')] },
    { kind: 'folder', path: at('etc/selvedge'), mode: 0o700 },
    { kind: 'tree', path: at('var/selvedge'), mode: 0o700 },
    { kind: 'leftover', what: 'address', name: '169.254.77.1' },
    { kind: 'upload', path: at('bin/edge-lite'), mode: 0o755, source: 'edge-lite', sha256: sha256(program) },
    {
      kind: 'copy',
      from: [{ path: at('etc/identity.pem') }, { path: at('etc/proxy.conf'), field: 'client-key-data' }],
      path: at('var/selvedge/client.pem'),
      mode: 0o600,
    },
    { kind: 'file', path: at('etc/selvedge/edge-lite.yaml'), mode: 0o600, content: 'node: {}\n' },
    { kind: 'reload' },
    { kind: 'file', path: at(`etc/systemd/${edgeLite}`), mode: 0o644, content: '[Service]\n' },
    { kind: 'reload' },
    { kind: 'unit', name: edgeLite },
    { kind: 'await', path: at('var/selvedge/client.pem'), unit: edgeLite, timeoutMs: 1_000 },
    { kind: 'file', path: at('etc/proxy.conf'), mode: 0o640, content: 'server: https://hub\n' },
    { kind: 'restart', name: kubelet, on: 'undo' },
    {
      kind: 'edit',
      path: at('etc/kubelet.conf'),
      sha256: sha256(texts.kubelet),
      changes: [{ at: texts.kubelet.indexOf(old), old, new: 'https://hub' }],
      marks: ['https://hub'],
    },
    { kind: 'restart', name: kubelet, on: 'apply' },
  ];
}

/** A node before anything was done: files of all kinds, old and odd, and a kubelet that runs. */
export async function vanilla(): Promise<TestDisk> {
  const disk = await createTestDisk();
  const at = (path: string): string => join(disk.folder, path);
  for (const path of ['bin', 'etc', 'etc/systemd', 'var']) await mkdir(at(path));
  await writeFile(at('etc/kubelet.conf'), texts.kubelet, { mode: 0o604 });
  await writeFile(at('etc/identity.pem'), 'CERTIFICATE');
  const key = Buffer.from('KEY').toString('base64');
  await writeFile(at('etc/proxy.conf'), `user:\n  client-key-data: ${key}\n`, { mode: 0o600 });
  await writeFile(at('bin/edge-lite'), 'an older one\n', { mode: 0o755 });
  for (const path of ['etc/kubelet.conf', 'bin', 'etc/systemd', 'etc', 'var']) {
    await utimes(at(path), 1_500_000_000.123_456, 1_500_000_000.123_456);
  }
  await disk.systemd.add(kubelet, at('etc/kubelet.conf'));
  return disk;
}

/** One start of the program: reads the journal, and goes on. Gives what was noted. */
export async function start(disk: TestDisk, host: Host, way: 'apply' | 'undo'): Promise<readonly string[]> {
  const notes: string[] = [];
  const files = createHostFiles(host);
  const journal = await openJournal(disk.journal, files, signal);
  if (journal.state.kind === 'none') {
    if (way === 'undo') return notes;
    const at = '2026-01-01T00:00:00Z';
    const steps = stepsIn(disk.folder);
    await journal.write({ kind: 'begun', run: 'r1', command: 'convert', version: '0', at, steps }, signal);
  }
  const clock = hastyClock();
  const onNote = (text: string): number => notes.push(text);
  const executors = createExecutors({ host, files, run: 'r1', clock, sources: async () => program, onNote });
  const deps = { journal, executors, onEvent: () => undefined };
  await (way === 'apply' ? applySteps(deps, signal) : undoSteps(deps, signal));
  return notes;
}

const readOr = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** Of edge-lite's unit. */
async function hubOf({ systemd }: TestDisk): Promise<unknown> {
  const { enabled, active } = (await systemd.look()).get(edgeLite) ?? { enabled: false, active: false };
  return { enabled, active };
}

/** What a conversion is about. */
export async function isConverted(disk: TestDisk): Promise<boolean> {
  const { folder, systemd } = disk;
  const paths = ['var/selvedge/client.pem', 'bin/edge-lite', 'etc/kubelet.conf'];
  const found = await Promise.all(paths.map((path) => readOr(join(folder, path))));
  const seen = (await systemd.look()).get(kubelet)?.seen;
  return isDeepStrictEqual(
    [...found, seen, await hubOf(disk)],
    [
      'CERTIFICATE\nKEY\n',
      program.toString(),
      texts.converted,
      texts.converted,
      { enabled: true, active: true },
    ],
  );
}

/** All that a machine is, as far as it has to be as before. */
export async function lookAt(disk: TestDisk): Promise<unknown> {
  const { systemd } = disk;
  return {
    files: await disk.look(),
    hub: await hubOf(disk),
    kubelet: (await systemd.look()).get(kubelet),
    address: await systemd.hasAddress(),
  };
}

/** True if it was lost on the way. */
async function isLost(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => false,
    (error: unknown) => {
      if (hasCode(error, 'Unavailable')) return true;
      throw error;
    },
  );
}

export interface Loss {
  /** Which command is the last one. */
  readonly at: number;
  /** Whether that one has its effect. */
  readonly when: 'before' | 'after';
  readonly way: 'apply' | 'undo';
}

export interface Outcome {
  readonly wasLost: boolean;
  /** After it was gone on with; undefined: it was not, but taken back at once. */
  readonly converted: boolean | undefined;
  readonly before: unknown;
  readonly after: unknown;
}

/** A run forth and back during which the machine is lost once. Every other one goes on before it goes back. */
export async function runWithLoss({ at, when, way }: Loss): Promise<Outcome> {
  await using disk = await vanilla();
  const before = await lookAt(disk);
  if (way === 'undo') await start(disk, disk.host, 'apply');
  const wasLost = await isLost(start(disk, losing(disk.host, at, when), way));
  const goesOn = at % 2 === 0;
  if (goesOn) await start(disk, disk.host, 'apply');
  const converted = goesOn ? await isConverted(disk) : undefined;
  await start(disk, disk.host, 'undo');
  return { wasLost, converted, before, after: await lookAt(disk) };
}
