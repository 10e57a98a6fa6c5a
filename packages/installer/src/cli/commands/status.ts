import type { Command } from 'commander';
import { describeStatus, status } from '../../status/index.ts';
import { openCluster } from '../cluster.ts';
import { type ClusterFlags, withCluster } from '../flags/cluster.ts';
import { withJson } from '../flags/common.ts';
import { type MachineFlags, machinesIfAsked, withMachines } from '../flags/machines.ts';
import { type NodeFlags, choiceOf, withNodes } from '../flags/nodes.ts';
import { createHostsIfAsked } from '../machines/index.ts';
import type { CommonFlags, Program } from '../program.ts';

interface StatusFlags extends CommonFlags, ClusterFlags, NodeFlags, MachineFlags {}

export function addStatus(root: Command, program: Program): void {
  const { host } = program;
  const command = withJson(withCluster(root.command('status'))).description(
    'show what is installed, and the state of each node: stock, converted, lite, half-done',
  );
  withMachines(withNodes(command, 'all'), machinesIfAsked).action((flags: StatusFlags) =>
    program.perform({ kind: 'StatusResult', describe: describeStatus }, flags, async (run) => {
      await using cluster = await openCluster(flags, host);
      const hosts = await createHostsIfAsked(flags, { ...run, host, cluster });
      return await status({ choice: choiceOf(flags) }, { ...run, cluster: cluster.client, hosts });
    }),
  );
}
