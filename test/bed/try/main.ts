import { Command } from 'commander';
import { runTool } from '@selvedge/hack/setup';
import { defaultBedName } from '../bed.ts';
import { processTerminal } from '../cli/terminal.ts';
import { processBedDeps } from '../context.ts';
import { runTour } from './tour.ts';

/** `hack/try`: the main job, shown on a real bed that stays up. `--down` and `--purge` are the shim's. */
const usage = `
other forms:
  hack/try --down       remove the bed
  hack/try --purge      remove the bed and the caches, and list the Debian packages that were installed`;

process.exitCode = await runTool(async (signal) => {
  const terminal = processTerminal();
  const command = new Command('hack/try')
    .description(
      'makes a cluster with lite nodes at three sites, runs a Deployment and an app in every site, looks into them from the cloud, cuts one off; the cluster stays up',
    )
    .option('-b, --bed <name>', 'which bed', defaultBedName)
    .addHelpText('after', usage)
    .action(({ bed }: { readonly bed: string }) =>
      runTour({ bed, signal }, { deps: processBedDeps(), print: (line) => terminal.print(line) }),
    );
  await command.parseAsync(process.argv);
  return 0;
});
