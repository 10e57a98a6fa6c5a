import { hasCode } from '@selvedge/kit';
import type { Executor, ExecutorDeps } from './executor.ts';
import { runOrThrow } from './run-or-throw.ts';
import { conflict, fileBefore, hashOf, nothing, putBack } from './before.ts';
import type { FileStep, Step } from './types.ts';

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

export function folderExecutor({ files, host }: ExecutorDeps): Executor<FolderStep> {
  const remove = async (path: string, signal: AbortSignal): Promise<void> => {
    try {
      await files.removeFolder(path, signal);
    } catch (error) {
      if (!hasCode(error, 'Conflict')) throw error;
      const names = (await runOrThrow(host, { argv: ['ls', '-A', '--', path] }, signal)).trim().split('\n');
      throw conflict(
        path,
        `holds files of others: ${names.join(', ')}`,
        `move them out of ${path}, then run the same command again`,
      );
    }
  };
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
      if (before.kind === 'nothing') await remove(path, signal);
    },
  };
}

/** `$1`: a folder. Prints the files in it that are of a package that is installed. Source: dpkg-query(1), rpm(8). */
const ownedScript = `
[ -d "$1" ] || exit 0
if command -v dpkg-query > /dev/null; then owner='dpkg-query --search'; else owner='rpm --query --file'; fi
find "$1" -xdev ! -type d | while IFS= read -r file; do
  $owner "$file" > /dev/null 2>&1 && printf '%s\\n' "$file"
done
true`;

export function treeExecutor({ files, host, onNote }: ExecutorDeps): Executor<TreeStep> {
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
    async undo({ path, shared = false }, before, signal) {
      const script = ['sh', '-c', ownedScript, 'sh', path] as const;
      const owned = shared ? await runOrThrow(host, { argv: script }, signal) : '';
      const [first = ''] = owned.split('\n');
      if (first !== '') {
        onNote?.(`${path} stays: packages that were installed since have files there, ${first}`);
        return;
      }
      await files.removeTree(path, { keep: before.kind === 'folder' }, signal);
      if (before.kind !== 'folder' || before.mode === undefined) return;
      // systemd gives the folders of units (`StateDirectory`) another one.
      await runOrThrow(host, { argv: ['chmod', before.mode.toString(8), path] }, signal);
    },
  };
}
