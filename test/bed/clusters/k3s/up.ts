import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BedContext } from '../../context.ts';
import { ensureControlPlane } from '../../control-plane/control-plane.ts';
import type { BedDescription } from '../../description.ts';
import { provideBaseRoot } from '../../machine/index.ts';
import type { NodeTools } from '../../node/node.ts';
import type { KeyPair } from '../../pki/certificate.ts';
import { controlPlaneOptions, nodeTools, reconcileNetwork } from '../../reconcile.ts';
import { clusterOf } from '../cluster.ts';
import { clusterMachines } from '../machines.ts';
import { ensureOperatorKey, writeKnownHosts } from '../operator.ts';
import { podRangesOf, writePodNetwork, writePodRoutes } from '../pod-network.ts';
import { importImages, placeFiles, untilRuntime } from '../prepare.ts';
import { writeRecord } from '../record.ts';
import type { Cluster, ClusterMachine } from '../types.ts';
import { agentFiles } from './files.ts';
import { k3sPaths } from './paths.ts';
import { agentProgram } from './program.ts';

/** What a server of k3s would have given the agent. */
async function credentialsOf(
  { pki }: Pick<NodeTools, 'pki'>,
  { name, address }: ClusterMachine,
): Promise<Readonly<Record<string, KeyPair>>> {
  const node = { commonName: `system:node:${name}`, organizations: ['system:nodes'] };
  const serving = { dnsNames: [name], addresses: [address, '127.0.0.1'] };
  const client = (commonName: string) => ({ commonName, usages: ['client'] as const });
  return {
    'client-kubelet': await pki.ensure(`node-${name}`, { ...node, usages: ['client'] }),
    'serving-kubelet': await pki.ensure(`kubelet-${name}`, { ...node, ...serving, usages: ['server'] }),
    'client-kube-proxy': await pki.ensure('kube-proxy', client('system:kube-proxy')),
    'client-k3s-controller': await pki.ensure('k3s-controller', client('system:k3s-controller')),
  };
}

interface Making {
  readonly context: BedContext;
  readonly tools: NodeTools;
  readonly program: Uint8Array;
}

/** A machine on which the installer of k3s has run, and whose agent has joined. */
async function joinAgent(
  { context, tools, program }: Making,
  of: ClusterMachine,
  signal?: AbortSignal,
): Promise<void> {
  const { name, address, machine } = of;
  const { kubelet, 'kube-proxy': kubeProxy } = tools.assets;
  const { certificate: ca } = tools.pki.ca.keyPair;
  const credentials = await credentialsOf(tools, of);
  const { index } = tools.bed;
  await machine.powerOn(signal);
  // k3s has its own.
  await machine.exec(['systemctl', 'disable', '--quiet', '--now', 'containerd'], { signal });
  await placeFiles(
    of,
    agentFiles({ name, address, index, program, kubelet, kubeProxy, ca, credentials }),
    signal,
  );
  await machine.exec(['systemctl', 'enable', '--quiet', '--now', 'k3s-agent'], { signal });
  await untilRuntime(context, of, signal);
  await importImages(of, tools.images, signal);
}

/** Makes a cluster whose workers are as agents of k3s are; its control plane is that of a bed. */
export async function upK3s(
  context: BedContext,
  bed: BedDescription,
  signal?: AbortSignal,
): Promise<Cluster> {
  const { progress } = context.setup;
  const tools = await nodeTools(context, bed, signal);
  const base = await provideBaseRoot({ ...context.setup, signal });
  await reconcileNetwork(context, bed, signal);
  await progress.step({ title: 'control plane' }, () =>
    ensureControlPlane(controlPlaneOptions(context, tools), context, signal),
  );
  const files = [tools.assets.kubelet, tools.assets['kube-proxy'], ...tools.images];
  const authorizedKeys = [await ensureOperatorKey(context)];
  const workers = clusterMachines({ context, bed, base, files, authorizedKeys, layout: 'k3s' });
  const folder = join(context.folders.root, 'programs');
  await mkdir(folder, { recursive: true });
  const program = await agentProgram(folder, process.execPath);
  await progress.step({ title: 'machines, k3s agents' }, () =>
    Promise.all(workers.map((worker) => joinAgent({ context, tools, program }, worker, signal))),
  );
  await writeKnownHosts(context, workers);
  await progress.step({ title: 'nodes' }, async () => {
    const names = workers.map(({ name }) => name);
    const ranges = await podRangesOf(context, names, signal);
    await Promise.all(workers.map((one) => writePodNetwork(one, { ranges, folder: k3sPaths.cni }, signal)));
    await writePodRoutes(context, bed, { ranges, workers });
    await writeRecord(context, { layout: 'k3s', files, ranges });
    const ready = ['wait', 'node', '--all', '--for=condition=Ready', '--timeout=180s'];
    await context.kubectl(ready, { signal });
  });
  return clusterOf(context, { layout: 'k3s', bed, machines: workers });
}
