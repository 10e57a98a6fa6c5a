import type { ClusterMachine } from '@selvedge/bed/clusters';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { askThrough, controlPlanesOf, endServer, startServer } from './support/api-servers.ts';
import { useInstallerCluster } from './support/installer-cluster.ts';
import { convertTo, findingsOf, heard, reaches, unwiredOf } from './support/installer-control-planes.ts';
import { type InstallerProgram, installerProgram } from './support/installer-program.ts';
import { until } from './support/programs.ts';

/** Only what hangs takes so long. */
const patienceMs = 1_800_000;
vi.setConfig({ testTimeout: patienceMs, hookTimeout: patienceMs });

const node = 'shop-1';
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

  beforeAll(async () => {
    selvedge = await installerProgram(world.cluster);
  });

  const bothControlPlanes = (): readonly [ClusterMachine, ClusterMachine] => {
    const [one, other] = controlPlanesOf(world.cluster);
    if (one === undefined || other === undefined) throw new TypeError('there are not two');
    return [one, other];
  };

  const convert = (): ReturnType<InstallerProgram['convert']> => convertTo(world.cluster, selvedge, node);
  const reach = (through: ClusterMachine): Promise<void> => reaches(world.cluster, through, node);

  it('is converted, and one of its API servers answers at any moment', async () => {
    const result = await heard(world.cluster, convert);
    expect(result).toMatchObject({ cloud: { mode: 'unit' }, nodes: [{ node, outcome: 'converted' }] });
    expect((await convert()).outcome).toBe('unchanged');
    expect(await unwiredOf(selvedge)).toEqual([]);
  });

  it('has its pods reached through each API server', async () => {
    for (const one of bothControlPlanes()) await reach(one);
  });

  it('has its pods reached through one API server while the other is away', async () => {
    const [one, other] = bothControlPlanes();
    await heard(world.cluster, async () => {
      await endServer(one);
      const away = (): Promise<boolean> =>
        askThrough(world.cluster, one, ['version']).then(
          () => false,
          () => true,
        );
      await until(`the end of the API server on ${one.name}`, away, 300_000);
      await reach(other);
      await startServer(one);
      await reach(one);
    });
  });

  it('has its pods reached through one API server while the cloud-manager of the other is away', async () => {
    const [one, other] = bothControlPlanes();
    await other.machine.exec(['systemctl', 'stop', 'cloud-manager']);
    await reach(one);
    await other.machine.exec(['systemctl', 'start', 'cloud-manager']);
    await reach(other);
  });

  it('is upgraded by kubeadm, which rewrites its manifests, as status and check tell', async () => {
    const [one, other] = bothControlPlanes();
    await world.byOthers(async () => {
      // It restarts members of etcd, which of two bears no loss: there are moments without an API server.
      await one.machine.exec(['kubeadm', 'upgrade', 'apply', version, '--force', '--yes', borne]);
      for (const { machine } of [other, ...world.cluster.workers]) {
        await machine.exec(['kubeadm', 'upgrade', 'node', borne]);
      }
    });
    expect(await unwiredOf(selvedge)).toEqual([one.name, other.name]);
    expect(await findingsOf(selvedge)).toContainEqual(expect.objectContaining({ id: 'egress-gone' }));
  });

  it('is as it shall be after the same conversion, and one of its API servers answers at any moment', async () => {
    expect(await heard(world.cluster, convert)).toMatchObject({ nodes: [{ node, outcome: 'unchanged' }] });
    expect(await unwiredOf(selvedge)).toEqual([]);
    for (const one of bothControlPlanes()) await reach(one);
    expect((await convert()).outcome).toBe('unchanged');
  });

  it('is taken back, and no machine differs from what kubeadm made of it', async () => {
    const result = await heard(world.cluster, () => selvedge.revert());
    expect(result).toMatchObject({ cloud: 'reverted', nodes: [{ node, outcome: 'reverted' }] });
    expect(await world.changes()).toEqual([]);
  });
});
