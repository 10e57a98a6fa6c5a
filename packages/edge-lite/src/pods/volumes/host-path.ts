import { type Stats } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { SelvedgeError, systemCode } from '@selvedge/kit';
import type { HostPathVolumeSource } from '@selvedge/kube/types';

interface Check {
  readonly accepts: (info: Stats) => boolean;
  readonly noun: string;
}

const folder: Check = { accepts: (info) => info.isDirectory(), noun: 'a directory' };
const file: Check = { accepts: (info) => info.isFile(), noun: 'a file' };

const checks: Readonly<Record<string, Check>> = {
  Directory: folder,
  DirectoryOrCreate: folder,
  File: file,
  FileOrCreate: file,
  Socket: { accepts: (info) => info.isSocket(), noun: 'a socket file' },
  CharDevice: { accepts: (info) => info.isCharacterDevice(), noun: 'a character device' },
  BlockDevice: { accepts: (info) => info.isBlockDevice(), noun: 'a block device' },
};

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function create(path: string, type: string): Promise<void> {
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 });
  if (type === 'FileOrCreate') await (await open(path, 'a', 0o644)).close();
}

/** Checks a host path against its type, creating it where the type says so; resolves with the path. */
export async function prepareHostPath({ path, type = '' }: HostPathVolumeSource): Promise<string> {
  if (path.split('/').includes('..')) {
    const text = `invalid HostPath \`${path}\`: must not contain '..'`;
    throw new SelvedgeError(text, { code: 'Invalid' });
  }
  if (type === '') return path;
  const check = checks[type];
  if (check === undefined) throw new SelvedgeError(`${type} is an invalid volume type`, { code: 'Invalid' });
  if ((await statOf(path)) === undefined) await create(path, type);
  const info = await statOf(path);
  if (info !== undefined && check.accepts(info)) return path;
  throw new SelvedgeError(`hostPath type check failed: ${path} is not ${check.noun}`, { code: 'Invalid' });
}
