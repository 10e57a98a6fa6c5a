import { SelvedgeError } from '@selvedge/kit';
import { type Command, Option } from 'commander';
import {
  type RevertDeps,
  type RevertOptions,
  type RevertResult,
  describeRevert,
  revert,
  revertDefaults,
} from '../../revert/index.ts';
import { noCluster, openCluster } from '../cluster.ts';
import { type ExitCode, exitCodes } from '../errors/index.ts';
import { type ArtifactsFlags, openRelease, withArtifacts } from '../flags/artifacts.ts';
import { type ClusterFlags, withCluster } from '../flags/cluster.ts';
import { duration, withChanges } from '../flags/common.ts';
import { type MachineFlags, withMachines } from '../flags/machines.ts';
import { withNodes } from '../flags/nodes.ts';
import { type WaveFlags, waveOptionsOf, withWaves } from '../flags/waves.ts';
import { createHosts } from '../machines/index.ts';
import type { CommandRun, CommonFlags, Program } from '../program.ts';

interface RevertFlags extends CommonFlags, ClusterFlags, WaveFlags, MachineFlags, ArtifactsFlags {
  readonly keepData?: boolean;
  readonly offline?: boolean;
}

const exits: Readonly<Record<RevertResult['outcome'], ExitCode>> = {
  done: exitCodes.done,
  unchanged: exitCodes.done,
  declined: exitCodes.failed,
  partly: exitCodes.partly,
};

const optionsOf = (flags: RevertFlags): RevertOptions => ({
  ...waveOptionsOf(flags),
  keepData: flags.keepData === true,
  offline: flags.offline === true,
});

function refuseJobsOffline({ offline, transport }: RevertFlags): void {
  if (offline !== true || transport !== 'job') return;
  throw new SelvedgeError('--transport job needs the API server, which --offline does without', {
    code: 'Invalid',
    hint: 'use --transport ssh, or --transport local on the machine itself',
  });
}

async function revertCluster(flags: RevertFlags, { host }: Program, run: CommandRun): Promise<RevertResult> {
  refuseJobsOffline(flags);
  await using cluster = flags.offline === true ? noCluster(host) : await openCluster(flags, host);
  const hosts = await createHosts(flags, { ...run, host, cluster });
  // Read when it is asked for: nobody needs a release to put machines back.
  const artifacts: RevertDeps['artifacts'] = {
    cloudManager: async (arch) => (await openRelease(flags, host)).cloudManager(arch),
  };
  return await revert(optionsOf(flags), { ...run, cluster: cluster.client, hosts, artifacts });
}

export function addRevert(root: Command, program: Program): void {
  const command = withChanges(withCluster(root.command('revert')))
    .description('undo `selvedge convert`, completely or for the chosen nodes')
    .option('--keep-data', 'keep EdgeUnits, UnitApps, EdgeNodes and their CRDs')
    .option('--offline', 'do not contact the cloud; revert only the machines given with --nodes a=ADDRESS')
    .addOption(
      new Option('--timeout <duration>', 'per node, until the API server sees it Ready again')
        .argParser(duration)
        .default(revertDefaults.timeoutMs, '5m'),
    );
  const frame = {
    kind: 'RevertResult',
    describe: describeRevert,
    exitCodeOf: ({ outcome }: RevertResult): ExitCode => exits[outcome],
    afterStop: 'resume with the same command',
  };
  withMachines(withArtifacts(withWaves(withNodes(command, 'all'), revertDefaults.onFailure))).action(
    (flags: RevertFlags) => program.perform(frame, flags, (run) => revertCluster(flags, program, run)),
  );
}
