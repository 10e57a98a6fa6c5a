import { mkdir, open, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFile } from '@selvedge/hack/setup';
import { SelvedgeError, systemCode } from '@selvedge/kit';
import { maxBeds } from '../addresses.ts';
import { type BedDescription, parseDescription } from '../description.ts';
import { checkBedName } from '../names.ts';
import { readIfThere, writeAtomically } from './files.ts';
import { bedFolders } from './folders.ts';

/** The descriptions of all beds of a machine, and which network each one has. */
export interface BedStore {
  names(): Promise<readonly string[]>;
  read(name: string): Promise<BedDescription | undefined>;
  write(description: BedDescription): Promise<void>;
  /** The number of the bed's network: the one that it has, or a free one, which is then its own. */
  claimIndex(name: string): Promise<number>;
  /** Removes the bed's folder and gives its network back. What is mounted below must be unmounted by then. */
  remove(name: string): Promise<void>;
  /** Held while a bed is changed. */
  lock(name: string, signal?: AbortSignal): Promise<AsyncDisposable>;
}

/** A number for a name, so that a bed mostly gets the same network again. */
function preferredIndex(name: string): number {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % maxBeds;
  return hash;
}

/** Creates `file` with `content`; false if it exists with another content. */
async function claim(file: string, content: string): Promise<boolean> {
  try {
    await using handle = await open(file, 'wx');
    await handle.writeFile(content);
    return true;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    return (await readFile(file, 'utf8')) === content;
  }
}

export function createBedStore(options: { readonly root: string }): BedStore {
  const networks = join(options.root, '.networks');
  const locks = join(options.root, '.locks');
  const entries = async (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
  return {
    async names() {
      return (await entries(options.root)).filter((entry) => !entry.startsWith('.')).toSorted();
    },
    async read(name) {
      const text = await readIfThere(bedFolders(options.root, name).description);
      return text === undefined ? undefined : parseDescription(text);
    },
    write: (description) =>
      writeAtomically(
        bedFolders(options.root, description.name).description,
        `${JSON.stringify(description, undefined, 2)}\n`,
      ),
    async claimIndex(name) {
      await mkdir(networks, { recursive: true });
      for (const entry of await entries(networks)) {
        if ((await readIfThere(join(networks, entry))) === name) return Number(entry);
      }
      for (let step = 0; step < maxBeds; step += 1) {
        const index = (preferredIndex(name) + step) % maxBeds;
        if (await claim(join(networks, String(index)), name)) return index;
      }
      const hint = 'take down a bed';
      throw new SelvedgeError(`all ${maxBeds} networks are taken`, { code: 'ResourceExhausted', hint });
    },
    async remove(name) {
      await rm(bedFolders(options.root, name).root, { recursive: true, force: true });
      for (const entry of await entries(networks)) {
        const file = join(networks, entry);
        if ((await readIfThere(file)) === name) await rm(file, { force: true });
      }
    },
    async lock(name, signal) {
      await mkdir(locks, { recursive: true });
      return lockFile(join(locks, checkBedName(name)), signal);
    },
  };
}
