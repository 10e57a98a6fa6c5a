import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import type { FileState, HostFiles, PathState } from '../files/index.ts';
import type { Before } from './types.ts';

export const nothing = { kind: 'nothing' } as const;

export function conflict(path: string, what: string, hint: string): SelvedgeError {
  return new SelvedgeError(`${path} ${what}`, { code: 'Conflict', hint });
}

export const hashOf = (content: Uint8Array | string): string =>
  createHash('sha256').update(content).digest('hex');

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
        'move it away first',
      );
  }
}

const isSame = (state: PathState, { sha256, mode, owner }: FileState): boolean =>
  state.kind === 'file' &&
  state.sha256 === sha256 &&
  state.mode === mode &&
  state.owner.uid === owner.uid &&
  state.owner.gid === owner.gid;

/** Puts back what was at a path. `ours`: what the step left there, by its hash; undefined: nothing. */
export async function putBack(
  { path, ours }: { readonly path: string; readonly ours: string | undefined },
  before: Before,
  { files, signal }: { readonly files: HostFiles; readonly signal: AbortSignal },
): Promise<void> {
  const state = await files.look(path, signal);
  const isOurs = state.kind === 'file' ? state.sha256 === ours : state.kind === 'absent';
  if (before.kind !== 'file') {
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
