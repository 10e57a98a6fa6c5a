import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { SelvedgeError } from '@selvedge/kit';

import { mountsBelow, parseMountPoints } from './mount-table.ts';

export interface TmpfsOptions {
  /** 0: the kernel's default, half of the memory. */
  readonly sizeBytes: bigint;
  readonly mode: number;
  /** The group that owns the root. Default 0. */
  readonly gid?: number;
}

/** Mounts of this process's mount namespace. Failures are `Unavailable`. */
export interface Mounter {
  tmpfs(path: string, options: TmpfsOptions, signal: AbortSignal): Promise<void>;
  /** Shows `source` at `target`; `source` is taken as it is, links and all. */
  bind(source: string, target: string, signal: AbortSignal): Promise<void>;
  unmount(path: string, signal: AbortSignal): Promise<void>;
  /** The mount points at `folder` or below, in the order of mounting. */
  below(folder: string): Promise<readonly string[]>;
}

export interface MounterOptions {
  /** Default `/proc/self/mountinfo`. */
  readonly mountInfo?: string;
  /** How long one call of `mount` or `umount` may take, in milliseconds. Default two minutes. */
  readonly timeoutMs?: number;
}

type Run = (command: string, args: readonly string[], signal: AbortSignal) => Promise<void>;

function runner(timeoutMs: number): Run {
  return (command, args, signal) =>
    new Promise((resolve, reject) => {
      execFile(command, args, { signal, timeout: timeoutMs }, (error, _stdout, stderr) => {
        if (error === null) {
          resolve();
          return;
        }
        const text = `${command} ${args.join(' ')} failed: ${stderr.trim() || error.message}`;
        reject(
          signal.aborted ? signal.reason : new SelvedgeError(text, { code: 'Unavailable', cause: error }),
        );
      });
    });
}

function tmpfsArgs(
  path: string,
  { sizeBytes, mode, gid = 0 }: TmpfsOptions,
  extra: readonly string[],
): string[] {
  const size = sizeBytes > 0n ? [`size=${sizeBytes}`] : [];
  const options = [...size, `mode=${mode.toString(8)}`, `gid=${gid}`, ...extra];
  return ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', path];
}

/** Runs `mount` and `umount` by argument list; no shell is involved. */
export function createMounter(options: MounterOptions = {}): Mounter {
  const run = runner(options.timeoutMs ?? 120_000);
  return {
    async tmpfs(path, tmpfs, signal) {
      try {
        await run('mount', tmpfsArgs(path, tmpfs, ['noswap']), signal);
      } catch {
        signal.throwIfAborted();
        // Kernels before 6.4 do not know the option.
        await run('mount', tmpfsArgs(path, tmpfs, []), signal);
      }
    },
    bind: (source, target, signal) => run('mount', ['--no-canonicalize', '--bind', source, target], signal),
    unmount: (path, signal) => run('umount', [path], signal),
    async below(folder) {
      const text = await readFile(options.mountInfo ?? '/proc/self/mountinfo', 'utf8');
      return mountsBelow(parseMountPoints(text), folder);
    },
  };
}
