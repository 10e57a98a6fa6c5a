import type { Binary } from '@selvedge/hack/setup';
import { serviceRange } from '../../addresses.ts';
import type { BedContext } from '../../context.ts';
import { ensureImages } from '../../images/index.ts';
import { controlPlaneName } from '../description.ts';
import { importImages, placeFiles, untilRuntime } from '../prepare.ts';
import type { ClusterMachine } from '../types.ts';
import { packageFiles } from './files.ts';
import { ensureKubeadmImages } from './images.ts';

const programs = ['kubelet', 'kubeadm', 'kubectl'] as const satisfies readonly Binary[];

/** What is on machines before kubeadm runs, as files of the host. */
export interface Stock {
  readonly programs: Readonly<Record<(typeof programs)[number], string>>;
  /** Archives. */
  readonly controlPlane: readonly string[];
  readonly node: readonly string[];
}

const tars = (images: readonly { readonly tar: string }[]): readonly string[] => images.map(({ tar }) => tar);

export async function stockOf({ setup }: BedContext, signal?: AbortSignal): Promise<Stock> {
  return {
    programs: await setup.assets({ binaries: programs, signal }),
    controlPlane: tars(await ensureKubeadmImages('controlPlane', setup, signal)),
    node: [
      ...tars(await ensureKubeadmImages('node', setup, signal)),
      ...tars(await ensureImages({ names: ['busybox', 'agnhost'], signal }, setup)),
    ],
  };
}

/** All of it. */
export const filesOf = (stock: Stock): readonly string[] => [
  ...Object.values(stock.programs),
  ...stock.controlPlane,
  ...stock.node,
];

/** A machine as it is before kubeadm runs: packages installed, images there. */
export async function prepare(
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
