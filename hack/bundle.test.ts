import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bundle } from './bundle.ts';
import { run } from './setup/index.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-bundle-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function bundleOf(source: string, maxBytes = 100_000): Promise<string> {
  const [entry, outfile] = [join(folder, 'main.ts'), join(folder, 'main.cjs')];
  await writeFile(
    join(folder, 'other.ts'),
    'export const greet = (name: string): string => `hello ${name}`;\n',
  );
  await writeFile(entry, source);
  await bundle({ entry, outfile, maxBytes });
  return outfile;
}

it('makes one file that runs', async () => {
  const file = await bundleOf(`import { greet } from './other.ts';\nprocess.stdout.write(greet('edge'));\n`);
  expect((await run({ argv: [process.execPath, file] })).stdout).toBe('hello edge');
});

it('leaves the SQLite addon outside', async () => {
  const file = await bundleOf(
    `import Database from 'better-sqlite3';\nprocess.stdout.write(typeof Database);\n`,
  );
  expect(await readFile(file, 'utf8')).toContain('require("better-sqlite3")');
});

it('refuses code that means something else in a bundle', async () => {
  await expect(bundleOf('process.stdout.write(import.meta.dirname);\n')).rejects.toThrow(/import\.meta/);
});

it('refuses a bundle that is too large', async () => {
  await expect(bundleOf('process.stdout.write("x");\n', 10)).rejects.toThrow(/more than it may/);
});
