import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';

/** One entry of a tar archive. Paths have no leading slash. Everything belongs to root. */
export type TarEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly content: Uint8Array | string;
      /** Default 0o644. */
      readonly mode?: number;
    }
  | {
      readonly kind: 'directory';
      readonly path: string;
      /** Default 0o755. */
      readonly mode?: number;
    }
  | {
      readonly kind: 'symlink';
      readonly path: string;
      /** As it is written into the link. */
      readonly target: string;
    };

const defaultModes = { file: 0o644, directory: 0o755, symlink: 0o777 } as const;

function header(entry: TarEntry): Partial<Header> & Pick<Header, 'name'> {
  const mode = entry.kind === 'symlink' ? undefined : entry.mode;
  return {
    name: entry.kind === 'directory' ? `${entry.path}/` : entry.path,
    type: entry.kind,
    mode: mode ?? defaultModes[entry.kind],
    mtime: new Date(0),
    uid: 0,
    gid: 0,
    ...(entry.kind === 'symlink' ? { linkname: entry.target } : {}),
  };
}

/** A tar archive of the entries in their order. The same entries give the same bytes: all times are the epoch. */
export async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const archive = pack();
  const bytes = buffer(archive);
  for (const entry of entries) {
    if (entry.kind === 'file') archive.entry(header(entry), Buffer.from(entry.content));
    else archive.entry(header(entry));
  }
  archive.finalize();
  return bytes;
}

/** Every folder above the entries that no entry makes itself, each before what is in it. */
export function parentsOf(entries: readonly TarEntry[]): readonly TarEntry[] {
  const made = new Set(entries.map((entry) => entry.path));
  const parents = new Set<string>();
  for (const { path } of entries) {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth += 1) parents.add(parts.slice(0, depth).join('/'));
  }
  return [...parents]
    .filter((path) => !made.has(path))
    .toSorted()
    .map((path) => ({ kind: 'directory', path }));
}

/** A layer: the entries, sorted so that folders come first, with the folders above them. */
export async function layerOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const all = [...parentsOf(entries), ...entries];
  return tarOf(all.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
}
