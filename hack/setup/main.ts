import { Command } from 'commander';
import { allBinaries } from './binaries.ts';
import { recordedPackages } from './debian.ts';
import { runTool } from './tool.ts';
import { ensureAssets, processSetup } from './setup.ts';

const setup = processSetup();

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function program(signal: AbortSignal): Command {
  const root = new Command('setup').description('makes this machine ready for the testbed');
  root
    .command('prepare', { isDefault: true })
    .description('check the machine, install Debian packages, build the binaries, print their paths')
    .action(async () => {
      const assets = await ensureAssets({ binaries: allBinaries, signal }, setup);
      for (const [name, path] of Object.entries(assets)) print(`${name}\t${path}`);
    });
  root
    .command('purge')
    .description('remove the caches and list the Debian packages that were installed')
    .action(async () => {
      const packages = await recordedPackages(setup.cache.root);
      await setup.cache.purge();
      print(`removed ${setup.cache.root}`);
      if (packages.length === 0) return;
      print('these Debian packages were installed for the testbed; to remove them:');
      print(`  apt-get purge ${packages.join(' ')}`);
    });
  return root;
}

process.exitCode = await runTool(async (signal) => {
  await program(signal).parseAsync(process.argv);
  return 0;
});
