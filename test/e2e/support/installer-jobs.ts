import { readFile } from 'node:fs/promises';
import type { Cluster, ClusterMachine } from '@selvedge/bed/clusters';
import { provideArtifacts } from '@selvedge/hack/release';
import { processSetup } from '@selvedge/hack/setup';
import { type Artifact, openArtifacts, version } from '@selvedge/installer';
import type { InstallerCluster } from './installer-cluster.ts';
import { type InstallerProgram, installerProgram } from './installer-program.ts';
import type { SceneInstaller } from './installer-scene.ts';
import { balanceTunnel, provideBridge } from './manager-deployment.ts';

/** Imports an image of the release, as a person does, under the version by which the program asks for it. */
async function importImage(
  { machine, runtimeSocket }: ClusterMachine,
  image: string,
  { file, bytes, version: released }: Artifact,
): Promise<void> {
  const images = ['ctr', '--address', runtimeSocket, '--namespace', 'k8s.io', 'images'] as const;
  await machine.writeFiles([{ kind: 'file', path: `root/${file}`, content: bytes }]);
  await machine.exec([...images, 'import', `/root/${file}`]);
  await machine.exec([...images, 'tag', '--force', `${image}:${released}`, `${image}:${version}`]);
  await machine.exec(['rm', `/root/${file}`]);
}

/** What somebody without SSH has to see to: kubelets are reached from the cloud, and the images of the release are there. */
export async function prepareForJobs(cluster: Cluster): Promise<void> {
  await cluster.joinNetworks();
  const folder = await provideArtifacts(processSetup());
  const artifacts = await openArtifacts(folder, { readFile: (path) => readFile(path) });
  for (const one of cluster.machines) {
    await importImage(one, 'selvedge.io/node-shell', await artifacts.nodeShellImage('amd64'));
    if (one.role === 'worker') continue;
    await importImage(one, 'selvedge.io/cloud-manager', await artifacts.managerImage('amd64'));
    await provideBridge(cluster, one.name);
  }
}

export const jobsProgram = ({ cluster }: InstallerCluster): Promise<InstallerProgram> =>
  installerProgram(cluster, 'job');

/** The program, over Jobs, by a person who reaches nothing but the API server. */
export async function byJobs(world: InstallerCluster): Promise<SceneInstaller> {
  const program = await jobsProgram(world);
  return {
    async convert(nodes) {
      const converting = program.convert(`--nodes=${nodes.join(',')}`);
      const [result] = await Promise.all([converting, balanceTunnel(world.cluster)]);
      return result;
    },
    revert: () => program.revert(),
  };
}

interface PodList {
  readonly items: readonly { readonly metadata: { readonly uid: string } }[];
}

/** What Jobs have left on a worker: containers, logs, mounts, folders of pods that are no more. */
export async function leftByJobs(
  { kubectl }: Cluster,
  { name, machine, runtimeSocket }: ClusterMachine,
): Promise<string> {
  const args = ['get', 'pods', '--all-namespaces', `--field-selector=spec.nodeName=${name}`, '--output=json'];
  const { items } = JSON.parse((await kubectl(args)).stdout) as PodList;
  const uids = items.map(({ metadata }) => metadata.uid);
  // What cannot be looked at has not left nothing.
  const look = `
    set -e
    containers=$(ctr --address "$1" --namespace k8s.io containers list)
    logs=$(ls /var/log/pods /var/log/containers)
    printf '%s\n' "$containers" "$logs" | grep node-shell || true
    grep empty-dir/state /proc/mounts || true
    ls /var/lib/kubelet/pods`;
  const { stdout } = await machine.exec(['sh', '-c', look, 'sh', runtimeSocket]);
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !uids.includes(line))
    .join('\n');
}
