import { X509Certificate, createHash } from 'node:crypto';
import type { BedContext } from '../../context.ts';
import type { BedDescription } from '../../description.ts';
import { writeAtomically } from '../../state/files.ts';
import { startBalancer } from '../balancer.ts';
import type { ClusterMachine } from '../types.ts';
import { type ClusterToJoin, initConfig, joinConfig } from './config.ts';

/** Of clusters that live for a test, in networks of their own. */
const initToken = 'shop01.0123456789abcdef';
const certificateKey = '0123456789abcdef'.repeat(4);

/** The machines of a cluster, by what kubeadm makes of them. */
export interface Cloud {
  readonly first: ClusterMachine;
  /** Further machines with an API server. */
  readonly others: readonly ClusterMachine[];
  readonly workers: readonly ClusterMachine[];
  /** Where API servers are reached: `10.60.0.1:6443`. */
  readonly endpoint: string;
}

/** Of all machines of a cluster. */
export function cloudOf(machines: readonly ClusterMachine[], endpoint: string): Cloud {
  const [first, ...others] = machines.filter(({ role }) => role === 'control-plane');
  if (first === undefined) throw new TypeError('a cluster of kubeadm has a control plane');
  return { first, others, workers: machines.filter(({ role }) => role === 'worker'), endpoint };
}

interface KubeadmRun {
  readonly config: string;
  /** Flags. */
  readonly more?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Runs kubeadm with a config file, as a person does. */
async function kubeadm(
  { machine }: ClusterMachine,
  verb: 'init' | 'join',
  { config, more = [], signal }: KubeadmRun,
): Promise<void> {
  const path = `etc/kubernetes/kubeadm-${verb}.yaml`;
  await machine.writeFiles([{ kind: 'file', path, content: config, mode: 0o600 }], signal);
  await machine.exec(['kubeadm', verb, `--config=/${path}`, ...more], { signal });
}

/** What a joining node knows the cluster's CA by. Source: kubeadm, `--discovery-token-ca-cert-hash`. */
function caHashOf(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** Makes the first control plane, and keeps the kubeconfig of its administrator. */
export async function init(
  context: BedContext,
  bed: BedDescription,
  { cloud, signal }: { readonly cloud: Cloud; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { first, others, endpoint } = cloud;
  const isOne = others.length === 0;
  // After the boot of the cloud's machine, for which nobody else may be there.
  if (!isOne) await startBalancer(context, bed, [first, ...others]);
  const together = isOne ? undefined : { endpoint, certificateKey };
  const config = initConfig(first, { token: initToken, together });
  await kubeadm(first, 'init', { config, more: isOne ? [] : ['--upload-certs'], signal });
  const kubeconfig = await first.machine.readFile('/etc/kubernetes/admin.conf', signal);
  await writeAtomically(context.folders.kubeconfig, kubeconfig, 0o600);
}

interface Joining {
  /** Whose CA is that of the cluster. */
  readonly first: ClusterMachine;
  readonly endpoint: string;
  /** A bootstrap token. Default: that of `kubeadm init`. */
  readonly token?: string;
  readonly signal?: AbortSignal | undefined;
}

/** What a joining machine is told of the cluster. */
async function clusterFor({ first, endpoint, token = initToken, signal }: Joining): Promise<ClusterToJoin> {
  const caHash = caHashOf(await first.machine.readFile('/etc/kubernetes/pki/ca.crt', signal));
  return { token, server: endpoint, caHash };
}

/** Makes a machine one more control plane, and a member of etcd. */
export async function joinControlPlane(one: ClusterMachine, joining: Joining): Promise<void> {
  const config = joinConfig(one, { ...(await clusterFor(joining)), certificateKey });
  await kubeadm(one, 'join', { config, signal: joining.signal });
}

/** Control planes join one after the other: each is a new member of etcd. */
export async function join({ first, others, workers, endpoint }: Cloud, signal?: AbortSignal): Promise<void> {
  const joining = { first, endpoint, signal };
  for (const one of others) await joinControlPlane(one, joining);
  const config = await clusterFor(joining);
  await Promise.all(workers.map((one) => kubeadm(one, 'join', { config: joinConfig(one, config), signal })));
}
