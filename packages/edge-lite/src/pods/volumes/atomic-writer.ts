import {
  chmod,
  lchown,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { SelvedgeError, systemCode } from '@selvedge/kit';

import type { Payload, ProjectedFile } from './payload-types.ts';

const dataLink = '..data';
const newDataLink = '..data_tmp';
const maxPath = 4096;
const maxName = 255;

export interface AtomicWriterDeps {
  /** Gives what was written its owner and permissions before it is shown. */
  readonly own: () => Promise<void>;
  /** For the name of the new data folder. */
  readonly now: () => number;
}

function checkPath(path: string): string {
  const names = path.split('/');
  const first = names[0] ?? '';
  const bad =
    path === '' ||
    path.startsWith('/') ||
    path.length > maxPath ||
    names.includes('..') ||
    names.some((name) => name.length > maxName) ||
    (first.startsWith('..') && first.length > 2);
  if (bad) throw new SelvedgeError(`invalid path: ${JSON.stringify(path)}`, { code: 'Invalid' });
  return normalize(path);
}

async function orMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** All paths below `folder`. */
async function pathsIn(folder: string): Promise<ReadonlySet<string>> {
  return new Set((await orMissing(readdir(folder, { recursive: true }))) ?? []);
}

/** Every file and every folder above one. */
function pathsOf(payload: Payload): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const file of payload.keys()) {
    for (let path = file; path !== '.'; path = dirname(path)) paths.add(path);
  }
  return paths;
}

async function isCurrent(payload: Payload, folder: string): Promise<boolean> {
  for (const [path, { data }] of payload) {
    const held = await orMissing(readFile(join(folder, path)));
    if (held === undefined || !held.equals(data)) return false;
  }
  return true;
}

async function writeOne(path: string, { data, mode, uid }: ProjectedFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, data, { mode });
  await chmod(path, mode);
  if (uid !== undefined) await lchown(path, uid, -1);
}

/** `..2026_11_21_12_00_00.` and six random characters. */
async function newFolder(target: string, now: number): Promise<string> {
  const stamp = new Date(now).toISOString().slice(0, 19).replace(/[-T:]/g, '_');
  const folder = await mkdtemp(join(target, `..${stamp}.`));
  await chmod(folder, 0o755);
  return folder;
}

async function publish(target: string, payload: Payload, deps: AtomicWriterDeps): Promise<void> {
  const folder = await newFolder(target, deps.now());
  const link = join(target, newDataLink);
  try {
    for (const [path, file] of payload) await writeOne(join(folder, path), file);
    await deps.own();
    await rm(link, { force: true });
    await symlink(folder.slice(target.length + 1), link);
    await rename(link, join(target, dataLink));
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function showFiles(target: string, payload: Payload): Promise<void> {
  for (const [path, { uid }] of payload) {
    const [name = path] = path.split('/', 1);
    const visible = join(target, name);
    try {
      await symlink(join(dataLink, name), visible);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') continue;
      throw error;
    }
    if (uid !== undefined) await lchown(visible, uid, -1);
  }
}

/** Data folders that a crash left behind. */
async function removeStale(target: string): Promise<void> {
  const current = await readlink(join(target, dataLink));
  const names = await readdir(target);
  const stale = names.filter((name) => /^\.\.\d{4}_/.test(name) && name !== current);
  for (const name of stale) await rm(join(target, name), { recursive: true, force: true });
}

/**
 * Makes `target` show exactly `payload`, so that a reader sees either all old or all new files: files lie in a folder with
 * a time in its name, `..data` is a link to it that is swapped, and each name is a link into `..data`. Leaves everything
 * alone if it is so already; resolves with whether it changed something.
 * Source: `pkg/volume/util/atomic_writer.go` of Kubernetes 1.36, whose shape on disk this is.
 */
export async function writePayload(target: string, files: Payload, deps: AtomicWriterDeps): Promise<boolean> {
  const payload: Payload = new Map([...files].map(([path, file]) => [checkPath(path), file]));
  const shown = await orMissing(readlink(join(target, dataLink)));
  const current = shown === undefined ? undefined : join(target, shown);
  const held = current === undefined ? new Set<string>() : await pathsIn(current);
  const wanted = pathsOf(payload);
  const gone = [...held].filter((path) => !wanted.has(path));
  const same = current !== undefined && gone.length === 0 && (await isCurrent(payload, current));
  if (!same) await publish(target, payload, deps);
  await showFiles(target, payload);
  for (const path of gone.filter((name) => !name.includes('/')))
    await rm(join(target, path), { force: true });
  if (!same) await removeStale(target);
  return !same;
}
