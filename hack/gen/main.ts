import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { explain } from '@selvedge/kit';
import type { GeneratedFile, Generator } from './generator.ts';
import { wireTypes } from './wire-types.ts';

const generators: readonly Generator[] = [wireTypes];
const root = fileURLToPath(new URL('../../', import.meta.url));

async function isCurrent(file: GeneratedFile): Promise<boolean> {
  const present = await readFile(`${root}${file.path}`, 'utf8').catch(() => undefined);
  return present === file.content;
}

/** Writes what changed, or with `--check` only tells; returns the paths that are, or were, out of date. */
async function generate(check: boolean): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const generator of generators) {
    for (const file of await generator.generate(root)) {
      if (await isCurrent(file)) continue;
      stale.push(file.path);
      if (!check) await writeFile(`${root}${file.path}`, file.content);
    }
  }
  return stale;
}

const check = process.argv.includes('--check');
try {
  const stale = await generate(check);
  for (const path of stale) process.stderr.write(`${check ? 'out of date' : 'written'}: ${path}\n`);
  if (check && stale.length > 0) {
    process.stderr.write('run `pnpm gen` and commit the result\n');
    process.exitCode = 1;
  }
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
