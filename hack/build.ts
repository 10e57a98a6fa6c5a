import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { runTool } from './setup/index.ts';

const edgeLite = join(import.meta.dirname, '../packages/edge-lite');
const mebibyte = 1024 * 1024;

process.exitCode = await runTool(async () => {
  const outfile = join(edgeLite, 'dist/edge-lite.cjs');
  const { version } = JSON.parse(await readFile(join(edgeLite, 'package.json'), 'utf8')) as {
    version: string;
  };
  const size = await bundle({
    entry: join(edgeLite, 'src/main.ts'),
    outfile,
    define: { SELVEDGE_VERSION: JSON.stringify(version) },
    maxBytes: mebibyte,
  });
  process.stdout.write(`${outfile}: ${(size / 1024).toFixed(0)} KiB\n`);
  return 0;
});
