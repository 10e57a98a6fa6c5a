import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster, ClusterMachine } from '@selvedge/bed/clusters';
import { buildManagerImage, bundleProgram } from '@selvedge/hack/programs';
import { until } from './programs.ts';

/** The image of cloud-manager as `pnpm build` makes it, an archive for `ctr images import`. */
export async function managerArchive(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-image-'));
  try {
    const [bundle, archive] = [join(folder, 'cloud-manager.cjs'), join(folder, 'cloud-manager.tar')];
    await bundleProgram('cloud-manager', bundle);
    await buildManagerImage(bundle, archive);
    return await readFile(archive);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Brings it to a machine, where its kubelet finds it. */
export async function bringManager({ machine, runtimeSocket }: ClusterMachine): Promise<void> {
  const where = ['--address', runtimeSocket, '--namespace', 'k8s.io'];
  await machine.exec(['ctr', ...where, 'images', 'import', '-'], { input: await managerArchive() });
}

/**
 * What a cloud does about a Service of the type LoadBalancer, once, as soon as it is there: it gets the address at which nodes find the
 * API server. Source: Kubernetes, "Service", `status.loadBalancer`.
 */
export async function balanceTunnel({ kubectl, server }: Cluster): Promise<void> {
  const at = ['--namespace=selvedge-system', 'service', 'cloud-manager-tunnel'];
  const ingress = [{ ip: new URL(server).hostname }];
  const patch = JSON.stringify({ status: { loadBalancer: { ingress } } });
  await until('the Service of the tunnel', async () => {
    await kubectl(['patch', ...at, '--subresource=status', '--type=merge', `--patch=${patch}`]);
    return true;
  });
}
