import { hash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import type { FileState, PathState } from '../files/index.ts';
import type { ExecutorDeps } from './executor.ts';
import type { Before } from './types.ts';

export const nothing = { kind: 'nothing' } as const;

export function conflict(path: string, what: string, hint: string): SelvedgeError {
  return new SelvedgeError(`${path} ${what}`, { code: 'Conflict', hint });
}

/** For a step that overwrites nothing. Throws `Conflict`. */
export async function nothingAt(
  path: string,
  files: ExecutorDeps['files'],
  signal: AbortSignal,
): Promise<typeof nothing> {
  if ((await files.look(path, signal)).kind === 'absent') return nothing;
  throw conflict(path, 'already exists', 'it may be left from an earlier installation: move it elsewhere');
}

export const hashOf = (content: Uint8Array | string): string => hash('sha256', content);

/** Programs that read a folder pass over names with a dot in front: the kubelet, systemd, containerd, CNI. */
function backupOf(path: string, run: string): string {
  return join(dirname(path), `.${basename(path)}.selvedge-${run}`);
}

/** What is at a path where a file may be. Throws `Conflict` for anything else. */
export function fileBefore(path: string, state: PathState, run: string): Before {
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
        'move it elsewhere first',
      );
  }
}

export const isSame = (state: PathState, { sha256, mode, owner }: FileState): boolean =>
  state.kind === 'file' &&
  state.sha256 === sha256 &&
  state.mode === mode &&
  state.owner.uid === owner.uid &&
  state.owner.gid === owner.gid;

export interface PuttingBack extends Pick<ExecutorDeps, 'files' | 'onNote'> {
  readonly signal: AbortSignal;
}

/** What the step left at a path, by its hash. */
interface Ours {
  readonly path: string;
  readonly ours: string;
}

const keptText = (path: string): string => `${path} was changed since; it is kept as it is now`;

/** Nothing is kept any more. What the step left is not what was there; all else is somebody's choice. */
function withoutBackup({ path, ours }: Ours, state: PathState, { onNote }: PuttingBack): void {
  if (state.kind === 'file' && state.sha256 === ours) {
    throw conflict(
      path,
      'cannot be restored: the original is gone',
      'restore it from your own backup, or remove it, then run the same command again',
    );
  }
  onNote?.(keptText(path));
}

/** Both are one file until the step writes another: who changed one of them changed both. */
const isOneFile = (state: PathState, kept: PathState): boolean => kept.kind === 'file' && isSame(state, kept);

function isOurs({ ours }: Ours, state: PathState): boolean {
  return state.kind === 'file' ? state.sha256 === ours : state.kind === 'absent';
}

/** Throws `Conflict` where a person has to choose. */
function refuseStrangers(
  at: Ours,
  { file, backup }: Extract<Before, { kind: 'file' }>,
  { state, kept }: { readonly state: PathState; readonly kept: PathState },
): void {
  const { path } = at;
  if (isOneFile(state, kept)) return;
  if (!isSame(kept, file)) {
    throw conflict(
      backup,
      `is not the original of ${path} any more`,
      `restore ${path} from your own backup, remove ${backup}, then run the same command again`,
    );
  }
  if (isOurs(at, state) || isSame(state, file)) return;
  throw conflict(
    path,
    'was changed since',
    `the original is ${backup}: move it to ${path}, or remove it to keep the current file, then run the same command again`,
  );
}

/** Puts back what was at a path. Throws `Conflict` if somebody changed it since, until a person chose one of the two. */
export async function putBack(at: Ours, before: Before, deps: PuttingBack): Promise<void> {
  const { path } = at;
  const { files, onNote, signal } = deps;
  const state = await files.look(path, signal);
  if (before.kind !== 'file') {
    if (isOurs(at, state)) return files.remove(path, signal);
    throw conflict(
      path,
      'was changed since',
      'remove it or move it elsewhere, then run the same command again',
    );
  }
  const kept = await files.look(before.backup, signal);
  if (kept.kind === 'absent') {
    // It was put back, or never taken away.
    if (!isSame(state, before.file)) withoutBackup(at, state, deps);
    return;
  }
  refuseStrangers(at, before, { state, kept });
  if (isOneFile(state, kept) && !isSame(state, before.file)) onNote?.(keptText(path));
  await files.putBack(before.backup, path, signal);
}
