import type { ClusterMachine } from '@selvedge/bed/clusters';
import { diffInventories } from '@selvedge/bed/machine';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { controlPlanesOf } from './support/api-servers.ts';
import { useInstallerCluster } from './support/installer-cluster.ts';
import { convertTo, findingsOf, heard, reaches, unwiredOf } from './support/installer-control-planes.ts';
import { type InstallerProgram, installerProgram } from './support/installer-program.ts';

/** Only what hangs takes so long. */
const patienceMs = 1_800_000;
vi.setConfig({ testTimeout: patienceMs, hookTimeout: patienceMs });

const node = 'shop-1';
/** docs/tasks/cloud-manager.md, "A control plane that joins later". */
const groups = [
  'system:bootstrappers:kubeadm:default-node-token',
  'system:bootstrappers:selvedge:control-plane',
];

describe('a cluster of kubeadm that one more control plane joins after its conversion', () => {
  const world = useInstallerCluster({
    layout: 'kubeadm',
    stem: 'later',
    controlPlanes: 2,
    workers: 1,
    podsPerNode: 2,
  });
  let selvedge: InstallerProgram;

  beforeAll(async () => {
    selvedge = await installerProgram(world.cluster);
    expect(await convertTo(world.cluster, selvedge, node)).toMatchObject({
      cloud: { mode: 'unit' },
      nodes: [{ node, outcome: 'converted' }],
    });
  });

  const withoutLater = (): readonly ClusterMachine[] =>
    world.cluster.machines.filter(({ name }) => name !== 'cloud-3');

  const newToken = async (): Promise<string> => {
    const [first] = controlPlanesOf(world.cluster);
    const argv = ['kubeadm', 'token', 'create', '--ttl=1h', `--groups=${groups.join(',')}`] as const;
    return (await first?.machine.exec(argv))?.stdout.trim() ?? '';
  };

  it('lets it join by a token for control planes, and names its API server until it is converted too', async () => {
    await world.byOthers(async () => world.addControlPlane(await newToken()));
    expect(await unwiredOf(selvedge)).toEqual(['cloud-3']);
    expect(await findingsOf(selvedge)).toContainEqual(
      expect.objectContaining({ id: 'egress-gone', what: expect.stringMatching(/cloud-3.*joined/) }),
    );
  });

  it('has it set up by the same conversion, which touches no other machine', async () => {
    const look = (one: ClusterMachine) => world.inventory(one);
    const others = withoutLater();
    const before = await Promise.all(others.map(look));
    const result = await heard(world.cluster, () => convertTo(world.cluster, selvedge, node));
    expect(result).toMatchObject({ outcome: 'done', nodes: [{ node, outcome: 'unchanged' }] });
    const after = await Promise.all(others.map(look));
    const changes = before.flatMap((one, at) =>
      after[at] === undefined ? [] : diffInventories(one, after[at]),
    );
    // What a hub knows of the cluster changes with that.
    expect(changes.filter(({ name }) => !name.startsWith('/var/lib/selvedge/state.db'))).toEqual([]);
    expect(await unwiredOf(selvedge)).toEqual([]);
    expect((await convertTo(world.cluster, selvedge, node)).outcome).toBe('unchanged');
  });

  it('has a node that was converted before reached through each API server', async () => {
    const machines = controlPlanesOf(world.cluster);
    expect(machines).toHaveLength(3);
    for (const one of machines) await reaches(world.cluster, one, node);
  });

  it('is taken back, and no machine differs from what kubeadm made of it', async () => {
    const result = await heard(world.cluster, () => selvedge.revert());
    expect(result).toMatchObject({ cloud: 'reverted', nodes: [{ node, outcome: 'reverted' }] });
    expect(await world.changes()).toEqual([]);
  });

  it('is taken back without the control plane that was lost since, and says what it left', async () => {
    expect((await convertTo(world.cluster, selvedge, node)).outcome).toBe('done');
    const later = world.cluster.machines.find(({ name }) => name === 'cloud-3');
    await later?.machine.powerCut();
    await world.cluster.kubectl(['delete', 'node', 'cloud-3']);
    const result = await selvedge.revert();
    expect(result).toMatchObject({
      outcome: 'done',
      cloud: 'reverted',
      left: [expect.stringMatching(/^cloud-3 .*--offline --nodes cloud-3=/)],
    });
    expect(await world.changes(withoutLater())).toEqual([]);
  });
});
