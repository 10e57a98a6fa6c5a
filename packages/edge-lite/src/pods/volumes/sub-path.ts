import { lstat, mkdir, open, realpath, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SelvedgeError, type Logger } from '@selvedge/kit';

import type { Mounter } from './mounter.ts';
import { makeBelow, openBelow } from './open-below.ts';

export interface SubPath {
  /** The volume's folder or file on the host. */
  readonly volume: string;
  readonly subPath: string;
  /** Where it is shown to the runtime. */
  readonly target: string;
}

interface Deps {
  readonly mounter: Mounter;
  readonly log: Logger;
}

/** Throws `Invalid` with the kubelet's words. */
export function checkSubPath(subPath: string): void {
  if (subPath.startsWith('/')) {
    throw new SelvedgeError(`error SubPath \`${subPath}\` must not be an absolute path`, { code: 'Invalid' });
  }
  if (subPath.split('/').includes('..')) {
    const text = `unable to provision SubPath \`${subPath}\`: must not contain '..'`;
    throw new SelvedgeError(text, { code: 'Invalid' });
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function shows(target: string, place: FileHandle): Promise<boolean> {
  const [shown, wanted] = await Promise.all([lstat(target), place.stat()]);
  return shown.dev === wanted.dev && shown.ino === wanted.ino;
}

async function makeTarget(target: string, place: FileHandle): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o750 });
  await rm(target, { recursive: true, force: true });
  if ((await place.stat()).isDirectory()) await mkdir(target, { mode: 0o750 });
  else await (await open(target, 'w', 0o640)).close();
}

async function bindOnce(
  target: string,
  place: FileHandle,
  ask: Deps & { signal: AbortSignal },
): Promise<void> {
  const { mounter, signal } = ask;
  const mounts = await mounter.below(target);
  if (mounts.length > 0 && (await shows(target, place))) return;
  for (const mount of mounts.toReversed()) await mounter.unmount(mount, signal);
  await makeTarget(target, place);
  await mounter.bind(`/proc/${process.pid}/fd/${place.fd}`, target, signal);
}

/**
 * Mounts a part of a volume so that no link in it, then or later, can lead the runtime elsewhere on the host; makes the
 * part if it is missing. Idempotent. Source: `pkg/volume/util/subpath` of Kubernetes 1.36; CVE-2017-1002101.
 */
export async function bindSubPath(request: SubPath, deps: Deps, signal: AbortSignal): Promise<string> {
  const { subPath, target } = request;
  const volume = await realpath(request.volume);
  const wanted = join(volume, subPath);
  if (!(await exists(wanted))) await makeBelow(volume, subPath, (await stat(volume)).mode & 0o7777);
  const place = await openBelow(volume, await realpath(wanted));
  try {
    await bindOnce(target, place, { ...deps, signal });
  } finally {
    await place.close();
  }
  return target;
}
