import { SelvedgeError } from '@selvedge/kit';
import type { PathState } from './types.ts';

const file = /^file ([0-7]+) (\d+) (\d+) (\d+) (\d+)\n([0-9a-f]{64}) /;
const folder = /^folder ([0-7]+) (\d+) (\d+)$/;

/** What the script `look` printed. Throws `Internal` for anything else. */
export function parsePathState(printed: string): PathState {
  const word = printed.trim();
  if (word === 'absent') return { kind: 'absent' };
  if (word === 'link' || word === 'other') return { kind: 'other', what: word };
  const asFolder = folder.exec(printed);
  if (asFolder !== null) {
    const [, mode = '', uid, gid] = asFolder;
    return { kind: 'folder', mode: Number.parseInt(mode, 8), owner: { uid: Number(uid), gid: Number(gid) } };
  }
  const asFile = file.exec(printed);
  if (asFile === null) throw new SelvedgeError('unexpected answer about a path', { code: 'Internal' });
  const [, mode = '', uid, gid, modified, bytes, sha256 = ''] = asFile;
  return {
    kind: 'file',
    mode: Number.parseInt(mode, 8),
    owner: { uid: Number(uid), gid: Number(gid) },
    modifiedSeconds: Number(modified),
    bytes: Number(bytes),
    sha256,
  };
}
