import type { ClusterMachine } from '@selvedge/bed/clusters';
import { type Inventory, type InventoryChange, diffInventories } from '@selvedge/bed/machine';
import type { StatusResult } from '@selvedge/installer';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { askThrough, controlPlanesOf, endServer, startServer, watchServers } from './support/api-servers.ts';
import { useInstallerCluster } from './support/installer-cluster.ts';
import { type InstallerProgram, installerProgram } from './support/installer-program.ts';
import { until } from './support/programs.ts';

/** Only what hangs takes so long. */
const patienceMs = 1_800_000;
vi.setConfig({ testTimeout: patienceMs, hookTimeout: patienceMs });

const [node, pod] = ['shop-1', 'client-shop-1'];
const version = 'v1.36.3';
/** As at `kubeadm init`: docs/reference/bed.md, "Clusters". */
const borne = '--ignore-preflight-errors=SystemVerification,Swap';

describe('a cluster of kubeadm with two control planes', () => {
  const world = useInstallerCluster({
    layout: 'kubeadm',
    stem: 'twocp',
    controlPlanes: 2,
    workers: 1,
    podsPerNode: 3,
  });
  let selvedge: InstallerProgram;
  /** What `kubeadm upgrade` itself changed on machines, by their names. */
  let upgraded: ReadonlyMap<string, readonly InventoryChange[]>;

  beforeAll(async () => {
    selvedge = await installerProgram(world.cluster);
  });

  const bothControlPlanes = (): readonly [ClusterMachine, ClusterMachine] => {
    const [one, other] = controlPlanesOf(world.cluster);
    if (one === undefined || other === undefined) throw new TypeError('there are not two');
    return [one, other];
  };

  /** While this is done, one of the API servers answers at any moment. */
  const heard = async <T>(work: () => Promise<T>): Promise<T> => {
    await using watch = await watchServers(world.cluster);
    const result = await work();
    expect(watch.silences).toEqual([]);
    expect(watch.answered).toBeGreaterThan(0);
    return result;
  };

  const convert = (): ReturnType<InstallerProgram['convert']> => {
    const servers = bothControlPlanes().map(({ address }) => `${address}:443`);
    return selvedge.convert(`--nodes=${node}`, `--tunnel-server=${servers.join(',')}`);
  };

  const unwired = async (): Promise<readonly string[]> => {
    const { cloud } = (await selvedge.result(['status', ...selvedge.machineFlags])) as StatusResult;
    if (cloud.kind !== 'installed') throw new Error('nothing is installed');
    return cloud.unwired;
  };

  const reaches = async (through: ClusterMachine): Promise<void> => {
    const { cluster } = world;
    const log = async (): Promise<boolean> =>
      /^(asked|lost) \d+\n$/.test(await askThrough(cluster, through, ['logs', pod, '--tail=1']));
    await until(`a log through ${through.name}`, log, 300_000);
    expect(await askThrough(cluster, through, ['exec', pod, '--', 'echo', 'here'])).toBe('here\n');
  };

  const inventories = async (): Promise<ReadonlyMap<string, Inventory>> => {
    const all = world.cluster.machines.map(
      async (machine) => [machine.name, await world.inventory(machine)] as const,
    );
    return new Map(await Promise.all(all));
  };

  it('is converted, and one of its API servers answers at any moment', async () => {
    const result = await heard(convert);
    expect(result).toMatchObject({ cloud: { mode: 'unit' }, nodes: [{ node, outcome: 'converted' }] });
    expect((await convert()).outcome).toBe('unchanged');
    expect(await unwired()).toEqual([]);
  });

  it('has its pods reached through each API server', async () => {
    for (const one of bothControlPlanes()) await reaches(one);
  });

  it('has its pods reached through one API server while the other is away', async () => {
    const [one, other] = bothControlPlanes();
    await heard(async () => {
      await endServer(one);
      const away = (): Promise<boolean> =>
        askThrough(world.cluster, one, ['version']).then(
          () => false,
          () => true,
        );
      await until(`the end of the API server on ${one.name}`, away, 300_000);
      await reaches(other);
      await startServer(one);
      await reaches(one);
    });
  });

  it('has its pods reached through one API server while the cloud-manager of the other is away', async () => {
    const [one, other] = bothControlPlanes();
    await other.machine.exec(['systemctl', 'stop', 'cloud-manager']);
    await reaches(one);
    await other.machine.exec(['systemctl', 'start', 'cloud-manager']);
    await reaches(other);
  });

  it('is upgraded by kubeadm, which rewrites its manifests, as status and check tell', async () => {
    const [one, other] = bothControlPlanes();
    const before = await inventories();
    // It restarts members of etcd, which of two bears no loss: there are moments without an API server.
    await one.machine.exec(['kubeadm', 'upgrade', 'apply', version, '--force', '--yes', borne]);
    for (const { machine } of [other, ...world.cluster.workers]) {
      await machine.exec(['kubeadm', 'upgrade', 'node', borne]);
    }
    expect(await unwired()).toEqual([one.name, other.name]);
    const { stdout } = await selvedge.run(['check', ...selvedge.machineFlags, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ id: 'egress-gone' })]),
    });
    const after = await inventories();
    const changes = (name: string, now: Inventory): readonly InventoryChange[] => {
      const then = before.get(name);
      return then === undefined ? [] : diffInventories(then, now);
    };
    upgraded = new Map([...after].map(([name, now]) => [name, changes(name, now)]));
  });

  it('is as it shall be after the same conversion, and one of its API servers answers at any moment', async () => {
    expect(await heard(convert)).toMatchObject({ nodes: [{ node, outcome: 'unchanged' }] });
    expect(await unwired()).toEqual([]);
    for (const one of bothControlPlanes()) await reaches(one);
    expect((await convert()).outcome).toBe('unchanged');
  });

  it('is taken back, and no machine differs from what kubeadm made of it', async () => {
    const result = await heard(() => selvedge.revert());
    expect(result).toMatchObject({ cloud: 'reverted', nodes: [{ node, outcome: 'reverted' }] });
    // What the upgrade left is not what was there before anybody converted it; each such thing is as the upgrade left it.
    const all = world.cluster.machines.map(async (machine) => {
      const ofUpgrade = upgraded.get(machine.name) ?? [];
      const changes = await world.changes([machine]);
      return changes.filter(
        ({ name, after }) =>
          !ofUpgrade.some((one) => name === `${machine.name}: ${one.name}` && one.after === after),
      );
    });
    expect((await Promise.all(all)).flat()).toEqual([]);
  });
});
