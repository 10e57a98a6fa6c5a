import { runTool } from '@selvedge/hack/setup';
import { Argument, Command } from 'commander';
import { Bed } from '../bed.ts';
import { type Cluster, clusterLayouts, openCluster, upCluster } from './index.ts';
import type { ClusterLayout } from './types.ts';

/** What a person, or a program, needs to work on a cluster. */
function cardOf(cluster: Cluster): object {
  const { name, layout, kubeconfig, server, operator, machines } = cluster;
  return {
    name,
    layout,
    kubeconfig,
    server,
    operator,
    atSite: cluster.atSite(['true']).slice(0, -1),
    machines: machines.map(({ name: machine, role, address }) => ({ name: machine, role, address })),
  };
}

const print = (cluster: Cluster): void => {
  process.stdout.write(`${JSON.stringify(cardOf(cluster), undefined, 2)}\n`);
};

interface UpFlags {
  readonly name?: string;
  readonly controlPlanes: string;
  readonly workers: string;
}

function program(signal: AbortSignal): Command {
  const root = new Command('cluster').description('clusters of others, on machines with systemd and sshd');
  root
    .command('up')
    .addArgument(new Argument('<layout>', 'who sets the nodes up').choices(clusterLayouts))
    .option('--name <name>', 'of the cluster; default: the layout')
    .option('--control-planes <count>', 'machines with an API server, of kubeadm', '1')
    .option('--workers <count>', 'machines of the site', '3')
    .action(async (layout: ClusterLayout, { name = layout, controlPlanes, workers }: UpFlags) => {
      const counts = { controlPlanes: Number(controlPlanes), workers: Number(workers) };
      print(await upCluster({ layout, name, ...counts, signal }));
    });
  root
    .command('show')
    .argument('<name>')
    .action(async (name: string) => {
      print(await openCluster(name));
    });
  root
    .command('down')
    .argument('<name>')
    .action((name: string) => Bed.down(name));
  return root;
}

process.exitCode = await runTool(async (signal) => {
  await program(signal).parseAsync(process.argv);
  return 0;
});
