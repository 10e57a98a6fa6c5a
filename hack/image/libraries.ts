import { readFile } from 'node:fs/promises';
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
