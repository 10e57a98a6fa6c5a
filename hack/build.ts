import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { runTool } from './setup/index.ts';

const edgeLite = join(import.meta.dirname, '../packages/edge-lite');
const mebibyte = 1024 * 1024;

process.exitCode = await runTool(async () => {
  const outfile = join(edgeLite, 'dist/edge-lite.cjs');
  const size = await bundle({ entry: join(edgeLite, 'src/main.ts'), outfile, maxBytes: mebibyte });
  process.stdout.write(`${outfile}: ${(size / 1024).toFixed(0)} KiB\n`);
  return 0;
});
