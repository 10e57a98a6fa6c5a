import { bundleOf, bundleProgram, programNames } from './programs.ts';
import { runTool } from './setup/index.ts';

process.exitCode = await runTool(async () => {
  for (const program of programNames) {
    const size = await bundleProgram(program);
    process.stdout.write(`${bundleOf(program)}: ${(size / 1024).toFixed(0)} KiB\n`);
  }
  return 0;
});
