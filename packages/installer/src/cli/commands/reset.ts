import type { Command } from 'commander';
import { type ResetResult, describeReset, reset } from '../../reset/index.ts';
import { openCluster } from '../cluster.ts';
import { type ClusterFlags, withCluster } from '../flags/cluster.ts';
import { withChanges } from '../flags/common.ts';
import { withBareMachine } from '../flags/machines.ts';
import type { CommandRun, CommonFlags, Program } from '../program.ts';
import { type BareFlags, bareMachine } from './machine.ts';

interface ResetFlags extends CommonFlags, ClusterFlags, BareFlags {
  readonly keepImages?: boolean;
}

async function resetMachine(flags: ResetFlags, { host }: Program, run: CommandRun): Promise<ResetResult> {
  const { machine, hosts } = await bareMachine(flags, { host, prompts: run.prompts });
  const options = { machine, keepImages: flags.keepImages === true };
  // A bare machine has no kubeconfig; one that lies there by chance is not meant.
  if (flags.kubeconfig === undefined && flags.context === undefined) return reset(options, { ...run, hosts });
  await using cluster = await openCluster(flags, host);
  return await reset(options, { ...run, hosts, cluster: cluster.client });
}

export function addReset(root: Command, program: Program): void {
  const command = withChanges(root.command('reset'))
    .description('undo `selvedge join`, leaving nothing behind on the machine')
    .option('--keep-images', 'keep the images that were pulled since the join');
  const withCloud = withCluster(
    command,
    'none; the Node object stays, and the command to delete it is printed',
  );
  withBareMachine(withCloud).action((flags: ResetFlags) =>
    program.perform(
      { kind: 'ResetResult', describe: describeReset, afterStop: 'resume with the same command' },
      flags,
      (run) => resetMachine(flags, program, run),
    ),
  );
}
