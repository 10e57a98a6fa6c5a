import { createHash } from 'node:crypto';
import { dirname, basename, join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import type { FileState, PathState } from '../files/index.ts';
import type { Executor, ExecutorDeps } from './executor.ts';
import type { Before, FileStep, Step } from './types.ts';

type AbsentStep = Extract<Step, { kind: 'absent' }>;
type FolderStep = Extract<Step, { kind: 'folder' }>;

const nothing = { kind: 'nothing' } as const;

function conflict(path: string, what: string, hint: string): SelvedgeError {
  return new SelvedgeError(`${path} ${what}`, { code: 'Conflict', hint });
}

/** Programs that read a folder pass over names with a dot in front: the kubelet, systemd, containerd, CNI. */
function backupOf(path: string, run: string): string {
  return join(dirname(path), `.${basename(path)}.selvedge-${run}`);
}

function fileBefore(path: string, state: PathState, run: string): Before {
  switch (state.kind) {
    case 'absent':
      return nothing;
    case 'file':
      return { kind: 'file', file: state, backup: backupOf(path, run) };
    case 'folder':
    case 'other':
      throw conflict(
        path,
        `is not a file (${state.kind === 'other' ? state.what : 'folder'})`,
        'move it away first',
      );
  }
}

const hashOf = (content: string): string => createHash('sha256').update(content).digest('hex');
const isSame = (state: PathState, { sha256, mode, owner }: FileState): boolean =>
  state.kind === 'file' &&
  state.sha256 === sha256 &&
  state.mode === mode &&
  state.owner.uid === owner.uid &&
  state.owner.gid === owner.gid;

/** Puts back what was at a path. `ours`: what the step left there, by its hash; undefined: nothing. */
async function putBack(
  { path, ours }: { readonly path: string; readonly ours: string | undefined },
  before: Before,
  { files, signal }: Pick<ExecutorDeps, 'files'> & { readonly signal: AbortSignal },
): Promise<void> {
  const state = await files.look(path, signal);
  const isOurs = state.kind === 'file' ? state.sha256 === ours : state.kind === 'absent';
  if (before.kind !== 'file') {
    if (state.kind === 'absent') return;
    if (!isOurs) throw conflict(path, 'was changed since', 'remove it, or move it away, and run this again');
    return files.remove(path, signal);
  }
  const kept = await files.look(before.backup, signal);
  // It was put back, or never taken away.
  if (kept.kind === 'absent' && isSame(state, before.file)) return;
  if (!isSame(kept, before.file)) {
    throw conflict(before.backup, `is not what ${path} was`, 'put the file back from your own backup');
  }
  if (!isOurs && !isSame(state, before.file)) {
    throw conflict(
      path,
      'was changed since',
      `what it was is in ${before.backup}: move one of them to ${path}`,
    );
  }
  await files.putBack(before.backup, path, signal);
}

export function fileExecutor({ files, run }: ExecutorDeps): Executor<FileStep> {
  return {
    look: async ({ path }, signal) => fileBefore(path, await files.look(path, signal), run),
    async apply({ path, content, mode }, before, signal) {
      if (before.kind !== 'file') return files.write(path, { content, mode }, signal);
      await files.keep(path, before.backup, signal);
      return files.write(path, { content, mode, owner: before.file.owner }, signal);
    },
    undo: ({ path, content }, before, signal) =>
      putBack({ path, ours: hashOf(content) }, before, { files, signal }),
  };
}

export function absentExecutor({ files, run }: ExecutorDeps): Executor<AbsentStep> {
  return {
    look: async ({ path }, signal) => fileBefore(path, await files.look(path, signal), run),
    async apply({ path }, before, signal) {
      if (before.kind !== 'file') return;
      const there = await files.look(path, signal);
      if (there.kind === 'absent') return;
      await files.keep(path, before.backup, signal);
      await files.remove(path, signal);
    },
    undo: ({ path }, before, signal) => putBack({ path, ours: undefined }, before, { files, signal }),
  };
}

export function folderExecutor({ files }: ExecutorDeps): Executor<FolderStep> {
  return {
    async look({ path }, signal) {
      const state = await files.look(path, signal);
      if (state.kind === 'absent') return nothing;
      if (state.kind === 'folder') return { kind: 'folder' };
      throw conflict(path, 'is not a folder', 'move it away first');
    },
    async apply({ path, mode }, before, signal) {
      if (before.kind === 'folder') return;
      const state = await files.look(path, signal);
      if (state.kind === 'absent') await files.makeFolder(path, mode, signal);
    },
    async undo({ path }, before, signal) {
      if (before.kind === 'nothing') await files.removeFolder(path, signal);
    },
  };
}
