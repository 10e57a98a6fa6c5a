import type { Executor, ExecutorDeps } from './executor.ts';
import { runOrThrow } from './run-or-throw.ts';
import { conflict, fileBefore, hashOf, nothing, putBack } from './before.ts';
import type { FileStep, Step } from './types.ts';

type AbsentStep = Extract<Step, { kind: 'absent' }>;
type FolderStep = Extract<Step, { kind: 'folder' }>;
type TreeStep = Extract<Step, { kind: 'tree' }>;

export function fileExecutor({ files, run, onNote }: ExecutorDeps): Executor<FileStep> {
  return {
    look: async ({ path }, signal) => fileBefore(path, await files.look(path, signal), run),
    async apply({ path, content, mode }, before, signal) {
      if (before.kind !== 'file') return files.write(path, { content, mode }, signal);
      await files.keep(path, before.backup, signal);
      return files.write(path, { content, mode, owner: before.file.owner }, signal);
    },
    undo: ({ path, content }, before, signal) =>
      putBack({ path, ours: hashOf(content) }, before, { files, onNote, signal }),
  };
}

export function absentExecutor({ files, run, onNote }: ExecutorDeps): Executor<AbsentStep> {
  return {
    look: async ({ path }, signal) => fileBefore(path, await files.look(path, signal), run),
    async apply({ path }, before, signal) {
      if (before.kind !== 'file') return;
      const there = await files.look(path, signal);
      if (there.kind === 'absent') return;
      await files.keep(path, before.backup, signal);
      await files.remove(path, signal);
    },
    undo: ({ path }, before, signal) => putBack({ path, ours: undefined }, before, { files, onNote, signal }),
  };
}

export function folderExecutor({ files }: ExecutorDeps): Executor<FolderStep> {
  return {
    async look({ path }, signal) {
      const state = await files.look(path, signal);
      if (state.kind === 'absent') return nothing;
      if (state.kind === 'folder') return { kind: 'folder' };
      throw conflict(path, 'is not a directory', 'move it elsewhere first');
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

export function treeExecutor({ files, host }: ExecutorDeps): Executor<TreeStep> {
  return {
    async look({ path }, signal) {
      const state = await files.lookTree(path, signal);
      if (state === 'absent') return nothing;
      if (state === 'empty') {
        const there = await files.look(path, signal);
        return there.kind === 'folder' ? { kind: 'folder', mode: there.mode } : nothing;
      }
      throw conflict(
        path,
        state === 'full' ? 'exists and is not empty' : 'is not a directory',
        'it may be left from an earlier installation: undo that first, or move it elsewhere',
      );
    },
    async apply({ path, mode }, before, signal) {
      if (before.kind === 'folder') return;
      if ((await files.lookTree(path, signal)) === 'absent') await files.makeFolder(path, mode, signal);
    },
    async undo({ path }, before, signal) {
      await files.removeTree(path, { keep: before.kind === 'folder' }, signal);
      if (before.kind !== 'folder' || before.mode === undefined) return;
      // systemd gives the folders of units (`StateDirectory`) another one.
      await runOrThrow(host, { argv: ['chmod', before.mode.toString(8), path] }, signal);
    },
  };
}
