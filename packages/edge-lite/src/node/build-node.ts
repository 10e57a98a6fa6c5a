import { labels } from '@selvedge/api';
import type { ContainerImage, Node, NodeStatus, Taint } from '@selvedge/kube/types';
import type { RuntimeHealth } from '../runtime/index.ts';
import { type Condition, conditions } from './conditions.ts';
import type { HostFacts } from './host.ts';
import { type ResourceOptions, allocatable, capacity } from './resources.ts';

export interface NodeOptions extends ResourceOptions {
  readonly nodeName: string;
  /** Of this program, such as `0.1.0`. */
  readonly version: string;
  /** Instead of the address of the interface with the default route. */
  readonly ip: string | undefined;
  /** A DNS name of this node alone, under which clients in the cluster reach its kubelet; undefined: they do not. */
  readonly dnsName: string | undefined;
  /** Set at registration only, as the kubelet's `--node-labels` and `--register-with-taints`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** The kubelet's `nodeLeaseDurationSeconds`. */
  readonly leaseDurationSeconds: number;
}

export interface Facts {
  readonly host: HostFacts;
  readonly runtime: RuntimeHealth;
  /** `containerd://1.7.2`, as last known. */
  readonly runtimeVersion: string;
  /** Largest first. */
  readonly images: readonly ContainerImage[];
  readonly shuttingDown: boolean;
  /** Where the kubelet's API is served; undefined while nobody knows. */
  readonly kubeletPort: number | undefined;
  readonly nowMs: number;
}

/** A Node's status as it should be; its conditions have no times yet. */
export interface DesiredStatus extends Omit<NodeStatus, 'conditions'> {
  readonly conditions: readonly Condition[];
}

/** The Kubernetes release whose kubelet this node stands in for. */
const kubernetesVersion = 'v1.36.3';
/** The kubelet's `nodeStatusMaxImages`. */
const maxImages = 50;

/** The labels that are this node's to keep, in the values that it must have. */
export function ownLabels(options: NodeOptions, host: HostFacts): Readonly<Record<string, string>> {
  return {
    'beta.kubernetes.io/arch': host.architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': host.architecture,
    'kubernetes.io/hostname': options.nodeName,
    'kubernetes.io/os': 'linux',
    [labels.nodeVersion]: options.version,
  };
}

/** What this node says of itself. Pure. */
export function desiredStatus(options: NodeOptions, facts: Facts): DesiredStatus {
  const { host, kubeletPort } = facts;
  const address = options.ip ?? host.address;
  return {
    addresses: [
      ...(address === undefined ? [] : [{ type: 'InternalIP', address }]),
      { type: 'Hostname', address: options.nodeName },
      ...(options.dnsName === undefined ? [] : [{ type: 'InternalDNS', address: options.dnsName }]),
    ],
    allocatable: allocatable(host, options),
    capacity: capacity(host, options),
    conditions: conditions(host, facts),
    ...(kubeletPort === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } } }),
    images: facts.images.slice(0, maxImages),
    nodeInfo: {
      architecture: host.architecture,
      bootID: host.bootId,
      containerRuntimeVersion: facts.runtimeVersion,
      kernelVersion: host.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion: `${kubernetesVersion}+selvedge.${options.version}`,
      machineID: host.machineId,
      operatingSystem: 'linux',
      osImage: host.osImage,
      systemUUID: host.systemUuid,
      ...(host.swapBytes === 0 ? {} : { swap: { capacity: host.swapBytes } }),
    },
  };
}

/** The object to register with; its status follows in a patch of its own. */
export function newNode(options: NodeOptions, host: HostFacts): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: options.nodeName, labels: { ...ownLabels(options, host), ...options.labels } },
    ...(options.taints.length === 0 ? {} : { spec: { taints: options.taints } }),
  };
}
