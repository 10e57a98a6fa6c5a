import { join } from 'node:path';
import {
  edgeNodeDefinition,
  edgeNodePolicy,
  edgeNodePolicyBinding,
  edgeUnitDefinition,
  edgeUnitPolicy,
  edgeUnitPolicyBinding,
  managerNamespace,
  managerObjects,
  unitAppDefinition,
} from '@selvedge/api';
import type { Clock } from '@selvedge/kit';
import { stringify } from 'yaml';
import {
  apiServerPort,
  cloudAddresses,
  kubeletProxyPort,
  managerHealthPort,
  tunnelName,
  tunnelPort,
} from '../addresses.ts';
import type { BedDescription } from '../description.ts';
import { type Kubectl, applyManifests } from '../kubectl.ts';
import { bedNames } from '../names.ts';
import type { Pki } from '../pki/pki.ts';
import type { DaemonSpec, Daemons } from '../process/daemon.ts';
import { watchOver } from '../process/watch-over.ts';
import { writeAtomically } from '../state/files.ts';
import type { BedFolders } from '../state/folders.ts';
import { waitFor } from '../wait.ts';
import { createApi } from './api.ts';
import { withNodeNames } from './node-names.ts';
import type { Manifest } from './objects.ts';

export interface CloudManagerOptions {
  readonly bed: BedDescription;
  readonly folders: Pick<BedFolders, 'controlPlane'>;
  readonly pki: Pki;
  /** `[node, …/cloud-manager/src/main.ts]`. */
  readonly program: readonly [string, ...string[]];
  /** Of the service account that its manifests make. */
  readonly kubeconfig: string;
}

export interface CloudManagerDeps {
  readonly clock: Clock;
  readonly daemons: Daemons;
  readonly kubectl: Kubectl;
}

const daemon = 'cloud-manager';

/** The user that the rights of cloud-manager are bound to. */
export const managerUser = `system:serviceaccount:${managerNamespace}:cloud-manager`;

/** Where agents of nodes reach the tunnel: `10.60.0.1:443`. */
export const tunnelServer = ({ index }: Pick<BedDescription, 'index'>): string =>
  `${cloudAddresses(index).cloud}:${tunnelPort}`;

/** Where cloud-manager hears witnesses and shows its metrics. */
export const managerUrl = ({ index }: Pick<BedDescription, 'index'>): string =>
  `https://${cloudAddresses(index).cloud}:${managerHealthPort}`;

const egressSocket = ({ controlPlane }: Pick<BedFolders, 'controlPlane'>): string =>
  join(controlPlane, 'egress.sock');

/** Writes what the API server takes as `--egress-selector-config-file`. Source: Kubernetes, "Konnectivity service". */
export async function writeEgressSelector(folders: Pick<BedFolders, 'controlPlane'>): Promise<string> {
  const file = join(folders.controlPlane, 'egress-selector.yaml');
  const connection = {
    proxyProtocol: 'HTTPConnect',
    transport: { uds: { udsName: egressSocket(folders) } },
  };
  const text = stringify({
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [{ name: 'cluster', connection }],
  });
  await writeAtomically(file, text);
  return file;
}

/** Source: docs/reference/cloud-manager-config.md. */
async function renderConfig({ bed, folders, pki, kubeconfig }: CloudManagerOptions): Promise<string> {
  const { cloud, cidr } = cloudAddresses(bed.index);
  const { certificateFile, keyFile } = await pki.ensure(daemon, {
    commonName: daemon,
    usages: ['server'],
    dnsNames: [tunnelName],
    addresses: [cloud, '127.0.0.1'],
  });
  return stringify({
    apiVersion: 'cloud-manager.selvedge.io/v1alpha1',
    kind: 'Config',
    serverName: 'cloud',
    cluster: { kubeconfig },
    tunnel: {
      listen: [tunnelServer(bed)],
      certificateFile,
      keyFile,
      clientCaFile: pki.caFile.certificateFile,
      drainSeconds: 5,
      services: { 'kube-apiserver': { addresses: [`${cloud}:${apiServerPort}`] } },
    },
    egress: { unixSocket: egressSocket(folders) },
    kubeletProxy: { listen: `${cloud}:${kubeletProxyPort}`, nodeNetworks: [cidr] },
    health: { listen: `${cloud}:${managerHealthPort}`, certificateFile, keyFile },
    log: { level: 'info' },
    ...bed.controlPlane.managerConfig,
  });
}

/** A Service without a selector, and by hand the slice that leads it to cloud-manager in the cloud's network. */
function kubeletProxyService(cloud: string): readonly Manifest[] {
  const metadata = { name: daemon, namespace: managerNamespace };
  const ports = [{ name: 'kubelets', port: kubeletProxyPort, protocol: 'TCP' }];
  const labels = {
    'kubernetes.io/service-name': daemon,
    'endpointslice.kubernetes.io/managed-by': 'selvedge-bed',
  };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, name: `${daemon}-cloud`, labels },
      addressType: 'IPv4',
      endpoints: [{ addresses: [cloud], conditions: { ready: true } }],
      ports,
    },
  ];
}

/** Writes its config. */
export async function cloudManagerSpec(options: CloudManagerOptions): Promise<DaemonSpec> {
  const { bed, folders, program } = options;
  const names = bedNames(bed.name);
  const file = join(folders.controlPlane, 'cloud-manager.yaml');
  const config = await renderConfig(options);
  await writeAtomically(file, config);
  return {
    name: daemon,
    // Nodes in the cloud's network are dialled by the names that the API server has for them.
    argv: withNodeNames(folders, [...program, 'run', '--config', file]),
    namespace: names.cloud,
    mark: names.mark('cloud'),
    config,
  };
}

/** Our resources and what guards them. */
const customResources: readonly object[] = [
  edgeNodeDefinition,
  edgeNodePolicy,
  edgeNodePolicyBinding,
  edgeUnitDefinition,
  edgeUnitPolicy,
  edgeUnitPolicyBinding,
  unitAppDefinition,
];

/** Keeps cloud-manager running beside the API server, which serves by now, and waits until it is ready. Idempotent. */
export async function ensureCloudManager(
  options: CloudManagerOptions,
  { clock, daemons, kubectl }: CloudManagerDeps,
  signal?: AbortSignal,
): Promise<void> {
  const { bed, pki } = options;
  const objects = [...customResources, ...managerObjects];
  const service = kubeletProxyService(cloudAddresses(bed.index).cloud);
  await applyManifests(kubectl, [...(objects as readonly Manifest[]), ...service], signal);
  await daemons.ensure(await cloudManagerSpec(options));
  const api = createApi({
    address: cloudAddresses(bed.index).cloud,
    port: managerHealthPort,
    ca: pki.ca.keyPair.certificate,
  });
  const failure = (): Promise<string | undefined> => daemons.failure(daemon);
  await watchOver({ failure, signal }, clock, (alive) => {
    const hint = `see ${daemons.logFile(daemon)}`;
    const wait = { what: 'a ready cloud-manager', timeoutMs: 60_000, hint, signal: alive };
    return waitFor(wait, clock, async (attempt) => {
      await api.get('/readyz', attempt);
      return true;
    });
  });
}
