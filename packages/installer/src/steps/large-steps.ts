import { SelvedgeError } from '@selvedge/kit';
import { fileBefore, hashOf, nothingAt, putBack } from './before.ts';
import type { Executor, ExecutorDeps } from './executor.ts';
import type { CopyStep, UploadStep } from './types.ts';

/** Both are what was published: a run goes on with what its journal names, or does not. */
function otherRelease(
  { path, source, sha256 }: Pick<UploadStep, 'path' | 'source' | 'sha256'>,
  given: string,
): SelvedgeError {
  const message =
    `the run on this machine was started with another release: it installs ${path} from ${source} with SHA-256 ${sha256}, but ` +
    `the present one has ${given}`;
  return new SelvedgeError(message, {
    code: 'Conflict',
    hint:
      'resume with the folder of that release, whose SHA256SUMS has this sum: --artifacts DIR; or undo first what was begun, ' +
      'with `selvedge revert`, or after a join with `selvedge reset`',
  });
}

export function uploadExecutor({ files, run, sources, onNote }: ExecutorDeps): Executor<UploadStep> {
  return {
    look: async ({ path }, signal) => fileBefore(path, await files.look(path, signal), run),
    async apply({ path, mode, source, sha256 }, before, signal) {
      const there = await files.look(path, signal);
      if (there.kind === 'file' && there.sha256 === sha256 && there.mode === mode) return;
      const content = await sources(source, signal);
      const given = hashOf(content);
      if (given !== sha256) throw otherRelease({ path, source, sha256 }, given);
      if (before.kind === 'file') await files.keep(path, before.backup, signal);
      await files.upload(path, { content, sha256, mode }, signal);
    },
    undo: ({ path, sha256 }, before, signal) =>
      putBack({ path, ours: sha256 }, before, { files, onNote, signal }),
  };
}

export function copyExecutor({ files }: ExecutorDeps): Executor<CopyStep> {
  return {
    look: ({ path }, signal) => nothingAt(path, files, signal),
    apply: ({ path, from, mode }, _before, signal) => files.compose(path, { from, mode }, signal),
    // Our program may have renewed it since.
    undo: ({ path }, _before, signal) => files.remove(path, signal),
  };
}
