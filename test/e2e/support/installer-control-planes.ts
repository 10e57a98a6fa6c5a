import type { Cluster, ClusterMachine } from '@selvedge/bed/clusters';
import type { StatusResult } from '@selvedge/installer';
import { expect } from 'vitest';
import { askThrough, controlPlanesOf, watchServers } from './api-servers.ts';
import type { InstallerProgram } from './installer-program.ts';
import { until } from './programs.ts';

/** While this is done, one of the API servers answers at any moment. */
export async function heard<T>(cluster: Cluster, work: () => Promise<T>): Promise<T> {
  await using watch = await watchServers(cluster);
  const result = await work();
  expect(watch.silences).toEqual([]);
  expect(watch.answered).toBeGreaterThan(0);
  return result;
}

/** The conversion of one node, whose tunnel ends at the first two control planes. */
export function convertTo(
  cluster: Cluster,
  selvedge: InstallerProgram,
  node: string,
): ReturnType<InstallerProgram['convert']> {
  const servers = controlPlanesOf(cluster).map(({ address }) => `${address}:443`);
  return selvedge.convert(`--nodes=${node}`, `--tunnel-server=${servers.slice(0, 2).join(',')}`);
}

/** The machines whose API server does not go through cloud-manager, as `status` says. */
export async function unwiredOf(selvedge: InstallerProgram): Promise<readonly string[]> {
  const { cloud } = (await selvedge.result(['status', ...selvedge.machineFlags])) as StatusResult;
  if (cloud.kind !== 'installed') throw new Error('nothing is installed');
  return cloud.unwired;
}

/** What `check` found, by its ids. */
export async function findingsOf(selvedge: InstallerProgram): Promise<readonly object[]> {
  const { stdout } = await selvedge.run(['check', ...selvedge.machineFlags, '--json']);
  return (JSON.parse(stdout) as { readonly findings: readonly object[] }).findings;
}

/** The client pod of a node gives its log, and runs a command, through the API server of a machine. */
export async function reaches(cluster: Cluster, through: ClusterMachine, node: string): Promise<void> {
  const pod = `client-${node}`;
  const log = async (): Promise<boolean> =>
    /^(asked|lost) \d+\n$/.test(await askThrough(cluster, through, ['logs', pod, '--tail=1']));
  await until(`a log through ${through.name}`, log, 300_000);
  expect(await askThrough(cluster, through, ['exec', pod, '--', 'echo', 'here'])).toBe('here\n');
}
