import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster, ClusterMachine } from '@selvedge/bed/clusters';
import { buildManagerImage, bundleProgram } from '@selvedge/hack/programs';
import { pod, running } from './pods.ts';
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

/** The first pod of a machine has its bridge made, which stays: it shall not be cloud-manager. */
export async function provideBridge({ kubectl }: Cluster, node: string): Promise<void> {
  const first = {
    apiVersion: 'v1',
    kind: 'Pod',
    ...pod({ name: `first-${node}`, node, containers: [running()] }),
  };
  await kubectl(['apply', '--filename=-'], { input: JSON.stringify(first) });
  await kubectl(['wait', `pod/first-${node}`, '--for=condition=Ready', '--timeout=180s']);
}

/** Only what hangs takes so long. */
const patienceMs = 600_000;

/**
 * What a cloud does about a Service of the type LoadBalancer, once, as soon as it is there: it gets the address at which nodes find the
 * API server. Source: Kubernetes, "Service", `status.loadBalancer`.
 */
export async function balanceTunnel({ kubectl, server }: Cluster): Promise<void> {
  const at = ['--namespace=selvedge-system', 'service', 'cloud-manager-tunnel'];
  const ingress = [{ ip: new URL(server).hostname }];
  const patch = JSON.stringify({ status: { loadBalancer: { ingress } } });
  const patched = async (): Promise<boolean> => {
    await kubectl(['patch', ...at, '--subresource=status', '--type=merge', `--patch=${patch}`]);
    return true;
  };
  await until('the Service of the tunnel', patched, patienceMs);
}

export interface ContainerLog {
  readonly node: string;
  readonly pod: string;
}

const clientPair = '/etc/kubernetes/pki/apiserver-kubelet-client';

/**
 * The last line that a pod's container `main` has said. Its kubelet is asked on the machine of the control plane with the certificate of the
 * API server, by its name and through cloud-manager: docs/tasks/metrics.md.
 */
export async function lineThroughTunnel(
  { kubectl, machines: [controlPlane] }: Cluster,
  { node, pod: name }: ContainerLog,
): Promise<string> {
  const at = ['--namespace=selvedge-system', 'service', 'cloud-manager'];
  const { stdout: address } = await kubectl(['get', ...at, '--output=jsonpath={.spec.clusterIP}']);
  const input = `GET /containerLogs/default/${name}/main?tailLines=1 HTTP/1.0\r\nHost: ${node}\r\n\r\n`;
  const pair = ['-cert', `${clientPair}.crt`, '-key', `${clientPair}.key`];
  const client = ['s_client', '-quiet', '-connect', `${address}:10250`, '-servername', node, ...pair];
  const answer = await controlPlane?.machine.execUnchecked(['openssl', ...client], { input });
  const [head = '', body = ''] = answer?.stdout.split('\r\n\r\n') ?? [];
  if (/^HTTP\/1\.\d 200 /.test(head)) return body.trimEnd();
  throw new Error(`the kubelet of ${node} did not tell: ${head}${answer?.stderr}`);
}

/**
 * A worker as it was before `kubeadm join`, with its runtime and its images: `kubeadm reset`, and what that leaves to a person. The pods that were
 * on it are gone.
 */
export async function retire({ kubectl }: Cluster, { name, machine }: ClusterMachine): Promise<void> {
  await machine.exec(['kubeadm', 'reset', '--force']);
  await machine.exec(['systemctl', 'disable', '--quiet', 'kubelet']);
  await machine.exec(['rm', '-r', '/etc/kubernetes', '/etc/cni/net.d/10-pods.conflist']);
  await machine.exec(['ip', 'link', 'delete', 'cni0']);
  await kubectl(['delete', 'node', name]);
}
