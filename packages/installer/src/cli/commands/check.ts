import type { HostPort } from '@selvedge/kit/net';
import type { Command } from 'commander';
import { type CheckResult, check, describeCheck } from '../../check/index.ts';
import { openCluster } from '../cluster.ts';
import { exitCodes } from '../errors/index.ts';
import { type ClusterFlags, withCluster } from '../flags/cluster.ts';
import { withJson } from '../flags/common.ts';
import { type MachineFlags, machinesIfAsked, withMachines } from '../flags/machines.ts';
import { type NodeFlags, choiceOf, withNodes } from '../flags/nodes.ts';
import { hostPorts } from '../flags/host-ports.ts';
import { createHostsIfAsked } from '../machines/index.ts';
import type { CommonFlags, Program } from '../program.ts';

interface CheckFlags extends CommonFlags, ClusterFlags, NodeFlags, MachineFlags {
  readonly tunnelServer?: readonly HostPort[];
}

const exitCodeOf = ({ counts }: CheckResult): 0 | 3 =>
  counts.error > 0 ? exitCodes.refused : exitCodes.done;

export function addCheck(root: Command, program: Program): void {
  const { host } = program;
  const command = withJson(withCluster(root.command('check')))
    .description('find everything that would prevent a conversion; changes nothing')
    .option('--tunnel-server <host:port>', 'check that nodes reach it; comma-separated', hostPorts);
  withMachines(withNodes(command, 'all but control-plane nodes'), machinesIfAsked).action(
    (flags: CheckFlags) =>
      program.perform({ kind: 'CheckResult', describe: describeCheck, exitCodeOf }, flags, async (run) => {
        await using cluster = await openCluster(flags, host);
        const hosts = await createHostsIfAsked(flags, { ...run, host, cluster });
        const tunnelServers = flags.tunnelServer ?? [];
        return await check(
          { choice: choiceOf(flags), tunnelServers },
          { ...run, cluster: cluster.client, hosts },
        );
      }),
  );
}
