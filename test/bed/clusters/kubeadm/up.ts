import type { Binary } from '@selvedge/hack/setup';
import type { BedContext } from '../../context.ts';
import type { BedDescription } from '../../description.ts';
import { ensureImages } from '../../images/index.ts';
import { serviceRange } from '../../addresses.ts';
import { machineFolders } from '../../machine/host.ts';
import { provideBaseRoot } from '../../machine/index.ts';
import { reconcileNetwork } from '../../reconcile.ts';
import { clusterOf } from '../cluster.ts';
import { controlPlaneName } from '../description.ts';
import { leadHostTo } from '../host-route.ts';
import { clusterEndpoint, clusterMachines } from '../machines.ts';
import { ensureOperatorKey, writeKnownHosts } from '../operator.ts';
import { podRangesOf, writePodNetwork, writePodRoutes } from '../pod-network.ts';
import { importImages, placeFiles, untilRuntime } from '../prepare.ts';
import { writeRecord } from '../record.ts';
import type { Cluster, ClusterMachine } from '../types.ts';
import { packageFiles } from './files.ts';
import { ensureKubeadmImages } from './images.ts';
import { cloudOf, init, join } from './init-and-join.ts';

const programs = ['kubelet', 'kubeadm', 'kubectl'] as const satisfies readonly Binary[];

interface Stock {
  readonly programs: Readonly<Record<(typeof programs)[number], string>>;
  /** Archives. */
  readonly controlPlane: readonly string[];
  readonly node: readonly string[];
}

const tars = (images: readonly { readonly tar: string }[]): readonly string[] => images.map(({ tar }) => tar);

async function stockOf({ setup }: BedContext, signal?: AbortSignal): Promise<Stock> {
  return {
    programs: await setup.assets({ binaries: programs, signal }),
    controlPlane: tars(await ensureKubeadmImages('controlPlane', setup, signal)),
    node: [
      ...tars(await ensureKubeadmImages('node', setup, signal)),
      ...tars(await ensureImages({ names: ['busybox', 'agnhost'], signal }, setup)),
    ],
  };
}

/** A machine as it is before kubeadm runs: packages installed, images there. */
async function prepare(
  context: BedContext,
  of: ClusterMachine,
  stock: Stock,
  signal?: AbortSignal,
): Promise<void> {
  await of.machine.powerOn(signal);
  await placeFiles(of, packageFiles(stock.programs), signal);
  // The site's machines forward by their networks' setup; this is the cloud's own.
  await of.machine.exec(['sysctl', '--quiet', '--write', 'net.ipv4.ip_forward=1'], { signal });
  if (of.name === controlPlaneName) {
    // A default route leads its API server to Services elsewhere; this cloud has none.
    await of.machine.exec(['ip', 'route', 'add', serviceRange, 'dev', 'lo', 'src', of.address], { signal });
  }
  await of.machine.exec(['systemctl', 'restart', 'containerd'], { signal });
  await of.machine.exec(['systemctl', 'enable', '--quiet', 'kubelet'], { signal });
  await untilRuntime(context, of, signal);
  const archives = of.role === 'control-plane' ? [...stock.controlPlane, ...stock.node] : stock.node;
  await importImages(of, archives, signal);
}

async function untilReady({ kubectl }: BedContext, signal?: AbortSignal): Promise<void> {
  const patience = '--timeout=180s';
  await kubectl(['wait', 'node', '--all', '--for=condition=Ready', patience], { signal });
  const rollout = ['--namespace=kube-system', 'rollout', 'status', patience];
  await kubectl([...rollout, 'daemonset/kube-proxy'], { signal });
  await kubectl([...rollout, 'deployment/coredns'], { signal });
}

/** Makes a cluster by `kubeadm init` and, for each other machine, `kubeadm join`. */
export async function upKubeadm(
  context: BedContext,
  bed: BedDescription,
  signal?: AbortSignal,
): Promise<Cluster> {
  const { progress } = context.setup;
  const base = await provideBaseRoot({ ...context.setup, signal });
  const stock = await stockOf(context, signal);
  await reconcileNetwork(context, bed, signal);
  const files = [...Object.values(stock.programs), ...stock.controlPlane, ...stock.node];
  const authorizedKeys = [await ensureOperatorKey(context)];
  const machines = clusterMachines({ context, bed, base, files, authorizedKeys, layout: 'kubeadm' });
  const cloud = cloudOf(machines, clusterEndpoint(bed));
  const { first, others, workers } = cloud;
  await progress.step({ title: 'machines, kubeadm init' }, () =>
    Promise.all([
      prepare(context, first, stock, signal).then(() => init(context, bed, { cloud, signal })),
      ...[...others, ...workers].map((one) => prepare(context, one, stock, signal)),
    ]),
  );
  await writeKnownHosts(context, machines);
  for (const one of others) await leadHostTo(one, context.names, bed);
  await progress.step({ title: 'kubeadm join' }, () => join(cloud, signal));
  await progress.step({ title: 'nodes' }, async () => {
    const ranges = await podRangesOf(
      context,
      machines.map(({ name }) => name),
      signal,
    );
    await Promise.all(
      machines.map((one) => writePodNetwork(one, { ranges, folder: machineFolders.cni }, signal)),
    );
    await writePodRoutes(context, bed, { ranges, workers });
    await writeRecord(context, { layout: 'kubeadm', files, ranges });
    await untilReady(context, signal);
  });
  return clusterOf(context, { layout: 'kubeadm', bed, machines });
}
