import type { ConvertResult, RevertResult } from '@selvedge/installer';
import { expect, it } from 'vitest';
import type { InstallerCluster } from './installer-cluster.ts';
import { gone, lostSince, replacedBy, requestsGoOn, runsOf, talliesOf, tasksOf } from './installer-pods.ts';
import { installerLibrary } from './installer-library.ts';
import { installerProgram } from './installer-program.ts';
import { until } from './programs.ts';

export interface SceneOptions {
  readonly world: InstallerCluster;
  /** All workers. */
  readonly nodes: readonly string[];
  /** What converts and takes back, all of it. */
  readonly open: () => Promise<SceneInstaller>;
  /** What becomes of the cloud's part in the end. */
  readonly cloud: RevertResult['cloud'];
  /** An agent that is started offline starts its pods. */
  readonly startsOffline: boolean;
}

export interface SceneInstaller {
  convert(nodes: readonly string[]): Promise<ConvertResult>;
  revert(): Promise<RevertResult>;
}

/** The program, over SSH, by a person in the shop. */
export async function byProgram({ cluster }: InstallerCluster): Promise<SceneInstaller> {
  const program = await installerProgram(cluster);
  return {
    convert: (nodes) => program.convert(`--nodes=${nodes.join(',')}`),
    revert: () => program.revert(),
  };
}

/** The library, on machines whose cloud is not the installer's. */
export async function byLibrary({ cluster }: InstallerCluster): Promise<SceneInstaller> {
  const library = await installerLibrary(cluster);
  const nodes = cluster.workers.map(({ name }) => name);
  return { convert: (chosen) => library.convert(chosen), revert: () => library.revert(nodes) };
}

/** Only what hangs takes so long. */
const patienceMs = 900_000;

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly renewTime: string };
  }[];
}

/** Waits until each node has said that it is there after this moment. */
async function untilHeard({ cluster }: InstallerCluster, nodes: readonly string[]): Promise<void> {
  const since = Date.now();
  await until('a word of every node', async () => {
    const args = ['--namespace=kube-node-lease', 'get', 'leases', '--output=json'];
    const { items } = JSON.parse((await cluster.kubectl(args)).stdout) as NodeList;
    const heard = items.filter(({ spec }) => Date.parse(spec.renewTime) > since);
    return nodes.every((node) => heard.some(({ metadata }) => metadata.name === node));
  });
  await cluster.kubectl(['wait', 'node', '--all', '--for=condition=Ready', '--timeout=180s']);
}

const outcomes = ({ nodes }: ConvertResult | RevertResult): readonly string[] =>
  nodes.map(({ node, outcome }) => `${node} ${outcome}`).toSorted();

/** Registers the tests of a conversion and all that follows it. Call it once, in a `describe`. */
export function itIsConvertedAndTakenBack(options: SceneOptions): void {
  const { world, nodes, startsOffline } = options;
  let installer: SceneInstaller | undefined;
  const selvedge = async (): Promise<SceneInstaller> => (installer ??= await options.open());
  const [, rude = ''] = nodes;

  /** While the installer works nothing of the pods changes, but that kube-proxy is replaced where it is a pod. */
  const undisturbed = async (work: () => Promise<void>): Promise<void> => {
    const { cluster } = world;
    const [runs, tallies] = [await runsOf(cluster), await talliesOf(cluster)];
    const replaced = await replacedBy(cluster, async () => {
      await work();
      await requestsGoOn(cluster);
    });
    expect(await runsOf(cluster)).toEqual(runs);
    expect(replaced).toEqual({ keptProxies: [], disturbed: [] });
    expect(lostSince(tallies, await talliesOf(cluster))).toEqual([]);
  };

  it(
    'is converted, no container is restarted, and no request between pods is lost',
    { timeout: patienceMs },
    () =>
      undisturbed(async () => {
        const result = await (await selvedge()).convert(nodes);
        expect(outcomes(result)).toEqual(nodes.map((node) => `${node} converted`));
      }),
  );

  it('is as it shall be, says a second run', { timeout: patienceMs }, async () => {
    const result = await (await selvedge()).convert(nodes);
    expect(result.outcome).toBe('unchanged');
  });

  const cutAlone = async (): Promise<void> => {
    const { cluster } = world;
    const [tasks, tallies] = [await tasksOf(cluster), await talliesOf(cluster)];
    await cluster.cut();
    await requestsGoOn(cluster);
    expect(gone(tasks, await tasksOf(cluster))).toEqual([]);
    expect(lostSince(tallies, await talliesOf(cluster))).toEqual([]);
  };

  const cutWithPower = async (): Promise<void> => {
    const { cluster } = world;
    const before = (await cluster.tasks(rude)).length;
    await cluster.cut();
    await cluster.powerCut(rude);
    await cluster.powerOn(rude);
    // Its pods have other addresses then, of which the other nodes hear when the cloud does.
    await until(`all pods of ${rude}`, async () => (await cluster.tasks(rude)).length === before, patienceMs);
  };

  // With the power of a node cut too, where its agent starts without a cloud.
  it('goes on when the WAN is cut', { timeout: patienceMs }, startsOffline ? cutWithPower : cutAlone);

  it('is heard again when the WAN is there again', { timeout: patienceMs }, async () => {
    await world.cluster.heal();
    await untilHeard(world, nodes);
    await requestsGoOn(world.cluster, patienceMs);
  });

  it('is taken back, and no machine differs from what it was', { timeout: patienceMs }, async () => {
    await undisturbed(async () => {
      const result = await (await selvedge()).revert();
      expect(outcomes(result)).toEqual(nodes.map((node) => `${node} reverted`));
      expect(result.cloud).toBe(options.cloud);
    });
    expect(await world.changes()).toEqual([]);
  });
}
