import { bundleEdgeLite, edgeLiteBundle } from './edge-lite.ts';
import { runTool } from './setup/index.ts';

process.exitCode = await runTool(async () => {
  const size = await bundleEdgeLite();
  process.stdout.write(`${edgeLiteBundle}: ${(size / 1024).toFixed(0)} KiB\n`);
  return 0;
});
