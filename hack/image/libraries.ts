import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import { run } from '../setup/index.ts';
import type { TarEntry } from './tar.ts';

/** The files that `ldd` resolves a program's libraries to, its loader included. */
export function parseLdd(program: string, output: string): readonly string[] {
  const missing = /^\s*(\S+) => not found$/m.exec(output)?.[1];
  if (missing !== undefined) {
    const hint = `apt-get install the package that holds ${missing}`;
    throw new SelvedgeError(`${program} needs ${missing}, which is not there`, { code: 'NotFound', hint });
  }
  const paths = output.split('\n').map((line) => /(?:=> |^\s*)(\/\S+) \(0x/.exec(line)?.[1]);
  return [...new Set(paths.filter((path) => path !== undefined))].toSorted();
}

/** The shared libraries of a program and its loader as they are on this machine, at the same places. */
export async function librariesOf(program: string, signal?: AbortSignal): Promise<readonly TarEntry[]> {
  const paths = parseLdd(program, (await run({ argv: ['ldd', program], signal })).stdout);
  return Promise.all(
    paths.map(async (path) => {
      const content = await readFile(path);
      return { kind: 'file', path: path.slice(1), content, mode: 0o755 } as const;
    }),
  );
}

/** Where Debian's packages for cross-compilation have the libraries of arm64, and its loader. */
const arm64Folder = '/usr/aarch64-linux-gnu/lib';
const arm64Loader = `${arm64Folder}/ld-linux-aarch64.so.1`;

/** The same of a program for arm64, from Debian's `libc6-arm64-cross` and `libstdc++6-arm64-cross`; all in `/lib`. */
export async function arm64LibrariesOf(program: string, signal?: AbortSignal): Promise<readonly TarEntry[]> {
  const argv = [
    'qemu-aarch64-static',
    arm64Loader,
    '--library-path',
    arm64Folder,
    '--list',
    program,
  ] as const;
  const found = parseLdd(program, (await run({ argv, signal })).stdout);
  const paths = found.filter((path) => path.startsWith(`${arm64Folder}/`));
  return Promise.all(
    [...new Set([arm64Loader, ...paths])].map(async (path) => {
      const content = await readFile(path);
      return { kind: 'file', path: `lib/${basename(path)}`, content, mode: 0o755 } as const;
    }),
  );
}
