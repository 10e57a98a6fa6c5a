import type { Kubectl } from '../kubectl.ts';
import type { Argv } from '../machine/doors.ts';
import type { Machine } from '../machine/types.ts';
import type { CutKind } from '../network/faults.ts';

export const clusterLayouts = ['kubeadm', 'k3s'] as const;
/** Who set the nodes up: kubeadm itself, or files, flags and a unit as k3s has them around the stock kubelet. */
export type ClusterLayout = (typeof clusterLayouts)[number];

export interface ClusterMachine {
  /** Of the machine and of its Node. */
  readonly name: string;
  readonly role: 'control-plane' | 'worker';
  readonly address: string;
  /** Where containerd listens on it. */
  readonly runtimeSocket: string;
  readonly machine: Machine;
}

/** How a person gets to the machines: root, by a key. */
export interface OperatorFiles {
  readonly user: 'root';
  /** The private key, PEM. */
  readonly keyFile: string;
  /** In the format of OpenSSH: each machine by its address. */
  readonly knownHostsFile: string;
}

/** A program of a container that runs: both stay the same as long as it is not started again. */
export interface RunningTask {
  /** The container's. */
  readonly id: string;
  /** As its machine counts. */
  readonly pid: number;
}

/**
 * A cluster on machines with systemd and sshd: the API server in the cloud, workers at one site behind NAT whose WAN can be cut.
 * It outlives this process.
 */
export interface Cluster extends AsyncDisposable {
  readonly name: string;
  readonly layout: ClusterLayout;
  /** A file of this host: that of an administrator. */
  readonly kubeconfig: string;
  /** `https://10.60.0.1:6443`: the same from the host, the cloud and the site. */
  readonly server: string;
  /** The control plane's machine first, where it is one. */
  readonly machines: readonly ClusterMachine[];
  readonly workers: readonly ClusterMachine[];
  readonly operator: OperatorFiles;
  /** The argv, on the host, of a program whose network is the site's: it reaches the machines, and the API server by the WAN. */
  atSite(argv: Argv): Argv;
  readonly kubectl: Kubectl;
  /** What runs on a machine, in the order of ids; sandboxes too. */
  tasks(machine: string): Promise<readonly RunningTask[]>;
  /** Leads the cloud to the machines of the site, as a VPN between the two does: they are behind NAT no more. */
  joinNetworks(): Promise<void>;
  /** Cuts the WAN of the site, at once also for what is connected. Default `blackhole`. */
  cut(kind?: CutKind): Promise<void>;
  heal(): Promise<void>;
  /** Pulls the plug of a worker. */
  powerCut(worker: string): Promise<void>;
  /** Boots it, and leads its pods to those of the others. */
  powerOn(worker: string): Promise<void>;
  /** Removes all of it. */
  down(): Promise<void>;
}
