import type { SelvedgeError } from '@selvedge/kit';
import type { FileState } from '../files/index.ts';
import { type PuttingBack, conflict, fileBefore, hashOf, isSame, putBack } from './before.ts';
import type { Executor, ExecutorDeps } from './executor.ts';
import { changeText, withoutChanges } from './text-changes.ts';
import type { Before, EditStep } from './types.ts';

type FileBefore = Extract<Before, { kind: 'file' }>;

const changedSinceLook = ({ path }: Pick<EditStep, 'path'>): SelvedgeError =>
  conflict(path, 'was changed since it was inspected', 'run the same command again');

/** What an edit makes of a file, from what is kept of it. Throws `Conflict` if that is another one by now. */
async function edited(
  step: EditStep,
  { backup }: FileBefore,
  { files, signal }: Pick<PuttingBack, 'files' | 'signal'>,
): Promise<string> {
  const kept = await files.read(backup, {}, signal);
  if (hashOf(kept) !== step.sha256) throw changedSinceLook(step);
  return changeText(kept.toString(), step.changes);
}

/** Takes the changes out of a file that somebody else changed since, and leaves all else of it to them. */
async function takeOut(
  { step, state }: { readonly step: EditStep; readonly state: FileState },
  { backup, file }: FileBefore,
  { files, onNote, signal }: PuttingBack,
): Promise<void> {
  const { path } = step;
  const text = (await files.read(path, {}, signal)).toString();
  const since = withoutChanges(text, step);
  if (since.kind === 'mixed') {
    const marks = since.marks.join(' and ');
    throw conflict(
      path,
      `was changed since, and still has ${marks}`,
      `remove that part from it, then run the same command again; the original is ${backup}`,
    );
  }
  if (since.kind === 'undone') {
    // Without a kept one, that may be all there is of what it was.
    const { mode, owner } = hashOf(since.text) === file.sha256 ? file : state;
    await files.write(path, { content: since.text, mode, owner }, signal);
  }
  await files.remove(backup, signal);
  onNote?.(
    since.kind === 'undone'
      ? `${path} was edited since; only what this command had changed in it was reverted`
      : `${path} was rewritten since; it is kept as it is now`,
  );
}

export function editExecutor({ files, run, onNote }: ExecutorDeps): Executor<EditStep> {
  return {
    async look({ path, sha256 }, signal) {
      const before = fileBefore(path, await files.look(path, signal), run);
      if (before.kind === 'file' && before.file.sha256 === sha256) return before;
      throw changedSinceLook({ path });
    },
    async apply(step, before, signal) {
      if (before.kind !== 'file') return;
      const { mode, owner } = before.file;
      await files.keep(step.path, before.backup, signal);
      const content = await edited(step, before, { files, signal });
      const state = await files.look(step.path, signal);
      const isOurs = state.kind === 'file' && state.sha256 === hashOf(content);
      if (!isOurs && !isSame(state, before.file)) throw changedSinceLook(step);
      await files.write(step.path, { content, mode, owner }, signal);
    },
    async undo(step, before, signal) {
      if (before.kind !== 'file') return;
      const { path } = step;
      const deps = { files, onNote, signal };
      const [state, kept] = [await files.look(path, signal), await files.look(before.backup, signal)];
      // Without what it was nobody knows what we made of it.
      const ours = isSame(kept, before.file) ? hashOf(await edited(step, before, deps)) : 'unknown';
      const isOthers = state.kind === 'file' && state.sha256 !== ours && !isSame(state, before.file);
      // Without marks nobody can tell whether the edit is still in it: a person has to look.
      const canChoose = step.marks.length > 0 && (kept.kind === 'absent' || ours !== 'unknown');
      if (isOthers && canChoose) return takeOut({ step, state }, before, deps);
      return putBack({ path, ours }, before, deps);
    },
  };
}
