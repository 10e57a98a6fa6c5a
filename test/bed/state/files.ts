import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '@selvedge/kit';

/** Writes a file that is there whole or not at all, whenever we are killed. Default mode 0644. */
export async function writeAtomically(
  file: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}.partial`;
  {
    await using handle = await open(partial, 'w', mode);
    await handle.writeFile(content);
  }
  await rename(partial, file);
}

/** The file's text, or undefined if there is no such file. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
