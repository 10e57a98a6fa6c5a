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
    .description('take back what `selvedge join` did: nothing is left on the machine')
    .option('--keep-images', 'images that were pulled since the join stay');
  const withCloud = withCluster(command, 'none: the Node stays, and the command that deletes it is told');
  withBareMachine(withCloud).action((flags: ResetFlags) =>
    program.perform(
      { kind: 'ResetResult', describe: describeReset, afterStop: 'the same command goes on' },
      flags,
      (run) => resetMachine(flags, program, run),
    ),
  );
}
