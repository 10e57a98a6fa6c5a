import { join } from 'node:path';
import type { HostFiles } from '../files/index.ts';
import { fileBefore, nothing } from './before.ts';
import type { Executor, ExecutorDeps } from './executor.ts';
import { runOrThrow } from './run-or-throw.ts';
import type { Before, UserStep } from './types.ts';

/** What holds the users of a machine. Source: passwd(5), group(5), shadow(5), gshadow(5). */
const databases = ['passwd', 'group', 'shadow', 'gshadow'] as const;
/** What programs that change them leave beside them: the state before, and a lock. */
const traces = [...databases.map((name) => `${name}-`), '.pwd.lock'] as const;

type Kept = Extract<Before, { kind: 'users' }>['files'][number];

const withoutUser = (text: string, name: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith(`${name}:`))
    .join('\n');

interface Undoing {
  readonly files: HostFiles;
  readonly signal: AbortSignal;
}

/** Whether a file is what it was, but for the user. */
async function isElseSame(
  { path, before }: Kept,
  name: string,
  { files, signal }: Undoing,
): Promise<boolean> {
  if (before.kind !== 'file') return true;
  if ((await files.look(before.backup, signal)).kind === 'absent') return true;
  const [now, was] = await Promise.all([path, before.backup].map((one) => files.read(one, {}, signal)));
  return withoutUser(String(now), name) === withoutUser(String(was), name);
}

/** Puts the very file back: its time of change too. */
async function putBack({ path, before }: Kept, { files, signal }: Undoing): Promise<void> {
  if (before.kind !== 'file') return files.remove(path, signal);
  const kept = await files.look(before.backup, signal);
  if (kept.kind !== 'absent') await files.putBack(before.backup, path, signal);
}

/** Somebody else changed users too: what is ours goes, and nothing is put back. */
async function removeUser(
  { name, kept }: { readonly name: string; readonly kept: readonly Kept[] },
  { host, files }: ExecutorDeps,
  signal: AbortSignal,
): Promise<void> {
  const { exitCode } = await host.run({ argv: ['getent', 'passwd', name] }, signal);
  if (exitCode === 0) await runOrThrow(host, { argv: ['userdel', name] }, signal);
  for (const { before } of kept) if (before.kind === 'file') await files.remove(before.backup, signal);
}

/** `folder`: where the files of users are. */
export function userExecutor(deps: ExecutorDeps, folder = '/etc'): Executor<UserStep> {
  const { host, files, run } = deps;
  return {
    async look({ name }, signal) {
      const { exitCode } = await host.run({ argv: ['getent', 'passwd', name] }, signal);
      if (exitCode === 0) return { kind: 'there' };
      const paths = [...databases, ...traces].map((file) => join(folder, file));
      const kept = paths.map(async (path) => {
        const before = fileBefore(path, await files.look(path, signal), run);
        return { path, before: before.kind === 'file' ? before : nothing };
      });
      return { kind: 'users', files: await Promise.all(kept) };
    },
    async apply({ name, description }, before, signal) {
      if (before.kind !== 'users') return;
      for (const { path, before: one } of before.files) {
        if (one.kind === 'file') await files.keep(path, one.backup, signal);
      }
      const line = `u ${name} - "${description}"`;
      await runOrThrow(host, { argv: ['systemd-sysusers', '--inline', line] }, signal);
    },
    async undo({ name }, before, signal) {
      if (before.kind !== 'users') return;
      const undoing = { files, signal };
      const same = await Promise.all(
        before.files
          .filter(({ path }) => databases.some((one) => join(folder, one) === path))
          .map((one) => isElseSame(one, name, undoing)),
      );
      if (!same.every(Boolean)) return removeUser({ name, kept: before.files }, deps, signal);
      for (const one of before.files) await putBack(one, undoing);
    },
  };
}
