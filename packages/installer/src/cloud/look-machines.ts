import { SelvedgeError, messageOf } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { type Architecture, architectureOf } from '../artifacts/index.ts';
import { readIfThere } from '../files/index.ts';
import type { Host, Machine } from '../host/index.ts';
import { clusterCa } from './certificates/sign-there.ts';
import { manifestFile } from './egress/manifest.ts';
import { type MachineDeps, runStateOf, withMachine } from './machine/run.ts';
import type { ControlPlaneMachine, OpenMachine } from './types.ts';
import { paths } from './beside-api-server/config.ts';

async function succeeds(
  host: Host,
  argv: readonly [string, ...string[]],
  signal: AbortSignal,
): Promise<boolean> {
  return (await host.run({ argv }, signal)).exitCode === 0;
}

async function architectureOn(host: Host, signal: AbortSignal): Promise<Architecture> {
  const name = (await host.run({ argv: ['uname', '-m'] }, signal)).stdout.toString().trim();
  const found = architectureOf(name);
  if (found !== undefined) return found;
  throw new SelvedgeError(`there is no cloud-manager for the architecture of ${host.name}: ${name}`, {
    code: 'Unsupported',
  });
}

async function inspect(
  at: { readonly machine: Machine; readonly address: string },
  deps: MachineDeps,
): Promise<OpenMachine> {
  const { signal } = deps;
  return withMachine(at.machine, deps, async (host, files) => ({
    kind: 'open',
    ...at,
    arch: await architectureOn(host, signal),
    manifest: await readIfThere(files, { path: manifestFile }, signal),
    ca: await readIfThere(files, { path: clusterCa.certificate }, signal),
    certificate: await readIfThere(files, { path: paths.certificate }, signal),
    signs:
      (await succeeds(host, ['test', '-r', clusterCa.key], signal)) &&
      (await succeeds(host, ['openssl', 'version'], signal)),
    ipv6: await succeeds(host, ['test', '-s', '/proc/net/if_inet6'], signal),
    runs: {
      manager: await runStateOf('manager', files, signal),
      egress: await runStateOf('egress', files, signal),
    },
  }));
}

/** Where a Node says that its machine is. */
export function machineOf(node: Node): Machine {
  const addresses = (node.status?.addresses ?? []).map(({ address }) => address);
  return { name: node.metadata.name ?? '', addresses: [...new Set(addresses)] };
}

async function lookAt(node: Node, deps: MachineDeps): Promise<ControlPlaneMachine> {
  const machine = machineOf(node);
  const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  if (address === undefined) return { kind: 'closed', machine, why: 'its Node has no InternalIP' };
  try {
    return await inspect({ machine, address }, deps);
  } catch (error) {
    deps.signal.throwIfAborted();
    if (!(error instanceof SelvedgeError) || error.code === 'Corrupt') throw error;
    return { kind: 'closed', machine, why: messageOf(error) };
  }
}

/** The machines of the control plane, as far as they are Nodes: those of a hosted one are none. */
export async function lookAtControlPlanes(
  deps: MachineDeps & { readonly cluster: Pick<KubeClient, 'listAll'> },
): Promise<readonly ControlPlaneMachine[]> {
  const { items } = await deps.cluster.listAll(resources.nodes, {
    labelSelector: 'node-role.kubernetes.io/control-plane',
    signal: deps.signal,
  });
  return Promise.all(items.map((node) => lookAt(node, deps)));
}
