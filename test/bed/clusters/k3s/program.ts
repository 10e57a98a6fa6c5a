import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '@selvedge/hack/bundle';

const mebibyte = 2 ** 20;

/** What plays `k3s` on machines, as one executable file; `folder` is for what is made on the way. */
export async function agentProgram(folder: string, node: string): Promise<Buffer> {
  const outfile = join(folder, 'k3s.cjs');
  await bundle({ entry: join(import.meta.dirname, 'agent/main.ts'), outfile, maxBytes: mebibyte });
  return Buffer.concat([Buffer.from(`#!${node}\n`), await readFile(outfile)]);
}
