import type { Cluster, ClusterMachine } from '@selvedge/bed/clusters';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { useInstallerCluster } from './support/installer-cluster.ts';
import { type InstallerProgram, installerProgram } from './support/installer-program.ts';
import {
  balanceTunnel,
  bringManager,
  lineThroughTunnel,
  provideBridge,
  retire,
} from './support/manager-deployment.ts';
import { until } from './support/programs.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

function machineOf(name: string, { machines }: Cluster): ClusterMachine {
  const found = machines.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new TypeError(`there is no machine ${name}`);
}

/** Its cloud-manager shows nodes a certificate of an authority of its own. */
describe('a cluster of kubeadm whose cloud-manager is a Deployment', () => {
  const [worker, bare] = ['shop-1', 'shop-2'];
  const world = useInstallerCluster({
    layout: 'kubeadm',
    stem: 'depl',
    workers: 2,
    podsPerNode: 3,
    prepare: async (cluster) => {
      await bringManager(machineOf('cloud-1', cluster));
      await provideBridge(cluster, 'cloud-1');
      await retire(cluster, machineOf(bare, cluster));
    },
  });
  let selvedge: InstallerProgram;

  const untilConnected = (node: string): Promise<string> =>
    until(`a tunnel session of ${node}`, async () => {
      const state = await world.cluster.kubectl([
        'get',
        'edgenode',
        node,
        '--output=jsonpath={.status.state}',
      ]);
      return state.stdout === 'Connected' && state.stdout;
    });

  beforeAll(async () => {
    selvedge = await installerProgram(world.cluster);
  });

  it('has a worker converted, whose pods are read from the cloud through the tunnel', async () => {
    const { cluster } = world;
    const [result] = await Promise.all([
      selvedge.convert('--manager=deployment', `--nodes=${worker}`),
      balanceTunnel(cluster),
    ]);
    const ca = expect.stringContaining('BEGIN CERTIFICATE');
    expect(result).toMatchObject({
      cloud: { mode: 'deployment', tunnel: { ca } },
      nodes: [{ node: worker, outcome: 'converted' }],
    });
    const said = await lineThroughTunnel(cluster, { node: worker, pod: `client-${worker}` });
    expect(said).toMatch(/^(asked|lost) \d+$/);
  });

  it('is joined by a bare machine, which has a tunnel session too and is bare again after a reset', async () => {
    const { kubeconfig } = world.cluster;
    const machine = machineOf(bare, world.cluster);
    const at = [...selvedge.sshFlags, `--machine=${machine.address}`];
    const create = ['token', 'create', `--kubeconfig=${kubeconfig}`, '--node', bare, '--yes'];
    const made = (await selvedge.result(create)) as {
      readonly token: string;
      readonly join: readonly string[];
    };
    const [, ...join] = made.join;
    await selvedge.result([...join, ...at, selvedge.artifactsFlag], { input: `${made.token}\n` });
    await untilConnected(bare);
    expect(await machine.machine.readFile('/etc/selvedge/edge-lite.yaml')).toMatch(
      /clusterDNS:\s+- 10\.96\.0\.10/,
    );
    const reset = await selvedge.result(['reset', `--kubeconfig=${kubeconfig}`, ...at, '--yes']);
    expect(reset).toMatchObject({ outcome: 'reset', nodeObject: 'deleted', warnings: [] });
    expect(await world.changes([machine])).toEqual([]);
  });

  it('is taken back with its cloud, and machines are as they were', async () => {
    const result = await selvedge.revert();
    expect(result).toMatchObject({ cloud: 'reverted', nodes: [{ node: worker, outcome: 'reverted' }] });
    expect(await world.changes(['cloud-1', worker].map((name) => machineOf(name, world.cluster)))).toEqual(
      [],
    );
  });
});
