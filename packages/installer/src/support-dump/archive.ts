import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { CollectedFile } from './collection.ts';

const zip = promisify(gzip);
const folder = 'selvedge-support';

/** A .tar.gz of the files, in one folder, readable by their owner alone. */
export async function archiveOf(files: readonly CollectedFile[], nowMs: number): Promise<Buffer> {
  const archive = pack();
  const bytes = buffer(archive);
  for (const { path, content } of files) {
    archive.entry({ name: `${folder}/${path}`, mode: 0o600, mtime: new Date(nowMs) }, content);
  }
  archive.finalize();
  return zip(await bytes);
}
