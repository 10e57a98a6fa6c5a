import { buildManagerImage, bundleOf, bundleProgram, managerImageFile, programNames } from './programs.ts';
import { runTool } from './setup/index.ts';

process.exitCode = await runTool(async () => {
  for (const program of programNames) {
    const size = await bundleProgram(program);
    process.stdout.write(`${bundleOf(program)}: ${(size / 1024).toFixed(0)} KiB\n`);
  }
  const { ref, size } = await buildManagerImage();
  process.stdout.write(`${managerImageFile}: ${ref}, ${(size / 1024 / 1024).toFixed(0)} MiB\n`);
  return 0;
});
