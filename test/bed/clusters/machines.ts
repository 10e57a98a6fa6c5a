import { apiServerPort, cloudAddresses } from '../addresses.ts';
import type { BedContext } from '../context.ts';
import { type BedDescription, cloudSite } from '../description.ts';
import { machineFolders, sharedFolders } from '../machine/host.ts';
import { createMachine } from '../machine/machine.ts';
import type { Machine } from '../machine/types.ts';
import { processMark } from '../names.ts';
import { nodeAddress } from '../network/spec.ts';
import { renewNetwork } from '../node/node.ts';
import { balancerPort } from './balancer.ts';
import { controlPlaneName } from './description.ts';
import { k3sPaths } from './k3s/paths.ts';
import type { ClusterLayout, ClusterMachine } from './types.ts';

export interface MachinesOptions {
  readonly context: BedContext;
  readonly bed: BedDescription;
  /** The root that they are laid over. */
  readonly base: string;
  /** Files of the host that they may read. */
  readonly files: readonly string[];
  /** Of the operator. */
  readonly authorizedKeys: readonly string[];
  readonly layout: ClusterLayout;
}

interface LayoutFacts {
  /** Whether the control plane is a machine; else it is made of the bed's own programs. */
  readonly controlPlane: boolean;
  readonly runtimeSocket: string;
  /** Folders that cannot lie on an overlay. */
  readonly volumes: readonly string[];
}

const layouts: Readonly<Record<ClusterLayout, LayoutFacts>> = {
  kubeadm: {
    controlPlane: true,
    runtimeSocket: machineFolders.runtimeSocket,
    volumes: [machineFolders.runtimeRoot, machineFolders.kubelet],
  },
  k3s: {
    controlPlane: false,
    runtimeSocket: k3sPaths.runtimeSocket,
    volumes: [k3sPaths.runtimeRoot, machineFolders.kubelet],
  },
};

function machineOf(options: MachinesOptions, name: string, namespace: string): Machine {
  const { context, bed, base, files, authorizedKeys, layout } = options;
  const { names, folders, clock, setup } = context;
  const isCloud = namespace === names.cloud;
  return createMachine(
    {
      name,
      namespace,
      cgroup: names.nodeCgroup(name),
      folder: folders.node(name).root,
      base,
      node: process.execPath,
      volumes: layouts[layout].volumes,
      programs: sharedFolders(setup.cache.root, [...files, process.execPath]),
      authorizedKeys,
      env: { [processMark]: names.mark(`node.${name}`) },
    },
    {
      clock,
      // The cloud's network, in which the sites' uplinks end, outlives its machine.
      renewNetwork: (signal) => (isCloud ? Promise.resolve() : renewNetwork(context, bed, name, signal)),
    },
  );
}

function cloudMachine(options: MachinesOptions): Omit<ClusterMachine, 'runtimeSocket'> {
  const { context, bed } = options;
  return {
    name: controlPlaneName,
    role: 'control-plane',
    address: cloudAddresses(bed.index).cloud,
    machine: machineOf(options, controlPlaneName, context.names.cloud),
  };
}

/**
 * The machines of a cluster, those of the control plane first, where there are: one is the cloud, which the host reaches, and the
 * sites by NAT; the others are beside it, and the sites reach them too.
 */
export function clusterMachines(options: MachinesOptions): readonly ClusterMachine[] {
  const { context, bed, layout } = options;
  const { runtimeSocket, controlPlane: isMachine } = layouts[layout];
  const nodes = bed.nodes.map(
    (node): Omit<ClusterMachine, 'runtimeSocket'> => ({
      name: node.name,
      role: node.site === cloudSite ? 'control-plane' : 'worker',
      address: nodeAddress(bed, node).address,
      machine: machineOf(options, node.name, context.names.node(node.name)),
    }),
  );
  const all = isMachine ? [cloudMachine(options), ...nodes] : nodes;
  return all.map((one) => ({ ...one, runtimeSocket }));
}

/** Where the API server of the cloud is reached: `10.60.0.1:6443`. */
export const apiEndpoint = ({ index }: Pick<BedDescription, 'index'>): string =>
  `${cloudAddresses(index).cloud}:${apiServerPort}`;

/** The same of a cluster, where several are reached by a balancer: `10.60.0.1:8443`. */
export const clusterEndpoint = ({ index, nodes }: Pick<BedDescription, 'index' | 'nodes'>): string =>
  nodes.some(({ site }) => site === cloudSite)
    ? `${cloudAddresses(index).cloud}:${balancerPort}`
    : apiEndpoint({ index });
