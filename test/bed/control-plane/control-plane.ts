import { join } from 'node:path';
import type { Clock } from '@selvedge/kit';
import { stringify } from 'yaml';
import { apiServerPort, apiServiceAddress, cloudAddresses } from '../addresses.ts';
import { type BedAssets, controlPlaneBinaries } from '../assets.ts';
import type { BedDescription } from '../description.ts';
import { type Kubectl, applyManifests } from '../kubectl.ts';
import { bedNames } from '../names.ts';
import { type ApiAccess, renderKubeconfig } from '../pki/kubeconfig.ts';
import { type KeyPair } from '../pki/certificate.ts';
import type { Pki } from '../pki/pki.ts';
import type { DaemonSpec, Daemons } from '../process/daemon.ts';
import { watchOver } from '../process/watch-over.ts';
import { writeAtomically } from '../state/files.ts';
import type { BedFolders } from '../state/folders.ts';
import { waitFor } from '../wait.ts';
import { type Api, createApi } from './api.ts';
import {
  type CloudManagerOptions,
  cloudManagerSpec,
  ensureCloudManager,
  managerUser,
  writeEgressSelector,
} from './cloud-manager.ts';
import {
  type ControlPlaneFiles,
  apiServerFlags,
  auditPolicy,
  controllerManagerFlags,
  etcdFlags,
  schedulerFlags,
} from './flags.ts';
import { withNodeNames, writeNodeNames } from './node-names.ts';
import { clusterObjects, dnsUser, renderCorefile, renderNodeNames } from './objects.ts';

export interface ControlPlaneOptions {
  readonly bed: BedDescription;
  readonly folders: BedFolders;
  readonly assets: BedAssets;
  readonly pki: Pki;
  /** `[node, …/cloud-manager/src/main.ts]`. */
  readonly cloudManager: readonly [string, ...string[]];
}

export interface ControlPlaneDeps {
  readonly clock: Clock;
  readonly daemons: Daemons;
  readonly kubectl: Kubectl;
}

/** `https://10.60.0.1:6443`: the same from the machine, the cloud and, through NAT, the sites. */
export function serverUrl(bed: Pick<BedDescription, 'index'>): string {
  return `https://${cloudAddresses(bed.index).cloud}:${apiServerPort}`;
}

const masters = ['system:masters'];
const admin = { commonName: 'kubernetes-admin', organizations: masters, usages: ['client'] } as const;

/** The text of a kubeconfig for a user of the cluster's CA. */
export function userKubeconfig(
  options: {
    readonly bed: BedDescription;
    readonly pki: Pki;
    /** Default: the API server itself. */
    readonly api?: ApiAccess | undefined;
  },
  user: string,
  credentials: KeyPair,
): string {
  const { bed, pki } = options;
  const api = options.api ?? { server: serverUrl(bed), ca: pki.ca.keyPair.certificate };
  return renderKubeconfig({ ...api, cluster: `bed-${bed.name}`, user, credentials });
}

async function writeKubeconfig(
  options: { readonly bed: BedDescription; readonly pki: Pki; readonly file: string },
  user: string,
  credentials: KeyPair,
): Promise<string> {
  await writeAtomically(options.file, userKubeconfig(options, user, credentials), 0o600);
  return options.file;
}

/** An administrator's GETs. */
export async function adminApi(bed: BedDescription, pki: Pki): Promise<Api> {
  const credentials = await pki.ensure('admin', admin);
  const address = cloudAddresses(bed.index).cloud;
  return createApi({ address, port: apiServerPort, ca: pki.ca.keyPair.certificate, credentials });
}

async function clientKubeconfig(options: ControlPlaneOptions, name: string, user: string): Promise<string> {
  const credentials = await options.pki.ensure(name, { commonName: user, usages: ['client'] });
  const file = join(options.folders.controlPlane, `${name}.kubeconfig`);
  return writeKubeconfig({ ...options, file }, user, credentials);
}

async function writeFiles(
  options: ControlPlaneOptions,
): Promise<ControlPlaneFiles & { readonly corefile: string }> {
  const { bed, folders, pki } = options;
  const { cloud } = cloudAddresses(bed.index);
  const own = (name: string): string => join(folders.controlPlane, name);
  const names = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  const apiServer = await pki.ensure('apiserver', {
    commonName: 'kube-apiserver',
    usages: ['server'],
    dnsNames: [...names, 'localhost'],
    addresses: [apiServiceAddress, '127.0.0.1', cloud],
  });
  const kubelet = {
    commonName: 'kube-apiserver-kubelet-client',
    organizations: masters,
    usages: ['client'],
  } as const;
  const frontProxy = { commonName: 'front-proxy-client', usages: ['client'] } as const;
  await writeKubeconfig(
    { bed, pki, file: folders.kubeconfig },
    admin.commonName,
    await pki.ensure('admin', admin),
  );
  await writeNodeNames(bed, folders);
  await writeAtomically(own('audit-policy.yaml'), stringify(auditPolicy));
  const dnsKubeconfig = await clientKubeconfig(options, 'coredns', dnsUser);
  const corefile = renderCorefile({ address: cloud, kubeconfig: dnsKubeconfig });
  const nodeNames = bed.controlPlane.tunnel === true ? await renderNodeNames(cloud) : '';
  await writeAtomically(own('Corefile'), corefile + nodeNames);
  return {
    etcdData: own('etcd'),
    auditLog: join(folders.logs, 'audit.log'),
    auditPolicy: own('audit-policy.yaml'),
    ca: pki.caFile,
    frontProxyCa: pki.frontProxyCaFile,
    serviceAccountKey: pki.serviceAccountKeys.privateKey,
    serviceAccountPublicKey: pki.serviceAccountKeys.publicKey,
    apiServer,
    kubeletClient: await pki.ensure('apiserver-kubelet-client', kubelet),
    frontProxyClient: await pki.ensure('front-proxy-client', frontProxy, 'front-proxy-ca'),
    controllerManagerKubeconfig: await clientKubeconfig(
      options,
      'controller-manager',
      'system:kube-controller-manager',
    ),
    schedulerKubeconfig: await clientKubeconfig(options, 'scheduler', 'system:kube-scheduler'),
    corefile: own('Corefile'),
    egressSelector: bed.controlPlane.tunnel === true ? await writeEgressSelector(folders) : undefined,
  };
}

/** The programs in the order of their start: storage, the API server, then what speaks to it. */
function daemonSpecs(
  options: ControlPlaneOptions,
  files: ControlPlaneFiles & { readonly corefile: string },
): { readonly first: readonly DaemonSpec[]; readonly later: readonly DaemonSpec[] } {
  const { bed, assets, folders } = options;
  const names = bedNames(bed.name);
  const { cloud } = cloudAddresses(bed.index);
  const binaries = controlPlaneBinaries(bed.controlPlane.version);
  const path = (binary: keyof BedAssets): string => assets[binary] ?? binary;
  const daemon = (name: string, program: string, args: readonly string[]): DaemonSpec => ({
    name,
    argv: [program, ...args],
    namespace: names.cloud,
    mark: names.mark('cloud'),
  });
  const { controlPlane } = bed;
  const flags = apiServerFlags(files, cloud, controlPlane);
  const apiServer = daemon('kube-apiserver', path(binaries.apiServer), flags);
  return {
    first: [
      daemon('etcd', assets.etcd, etcdFlags(files)),
      controlPlane.tunnel === true
        ? { ...apiServer, argv: withNodeNames(folders, apiServer.argv) }
        : apiServer,
    ],
    later: [
      daemon(
        'kube-controller-manager',
        path(binaries.controllerManager),
        controllerManagerFlags(files, controlPlane),
      ),
      daemon('kube-scheduler', path(binaries.scheduler), schedulerFlags(files)),
      daemon('coredns', assets.coredns, ['-conf', files.corefile]),
    ],
  };
}

/** Makes the control plane run, or makes it run again, and waits until it serves. Idempotent. */
export async function ensureControlPlane(
  options: ControlPlaneOptions,
  deps: ControlPlaneDeps,
  signal?: AbortSignal,
): Promise<void> {
  const { bed, pki } = options;
  const { daemons, clock } = deps;
  const { first, later } = daemonSpecs(options, await writeFiles(options));
  for (const spec of first) await daemons.ensure(spec);
  const api = await adminApi(bed, pki);
  const failure = async (): Promise<string | undefined> =>
    (await daemons.failure('etcd')) ?? (await daemons.failure('kube-apiserver'));
  await watchOver({ failure, signal }, clock, (alive) => {
    const hint = `see ${daemons.logFile('kube-apiserver')} and ${daemons.logFile('etcd')}`;
    const wait = { what: 'a ready API server', timeoutMs: 90_000, hint, signal: alive };
    return waitFor(wait, clock, async (attempt) => {
      await api.get('/readyz', attempt);
      return true;
    });
  });
  for (const spec of later) await daemons.ensure(spec);
  const { cloud } = cloudAddresses(bed.index);
  const ca = pki.ca.keyPair.certificate;
  await applyManifests(deps.kubectl, clusterObjects({ server: serverUrl(bed), ca, cloud }), signal);
  await ensureManager(options, deps, signal);
}

/** Makes cloud-manager run if the bed is to have it, and ends it if not. */
async function ensureManager(
  options: ControlPlaneOptions,
  deps: ControlPlaneDeps,
  signal?: AbortSignal,
): Promise<void> {
  if (options.bed.controlPlane.tunnel !== true) return deps.daemons.stop('cloud-manager');
  return ensureCloudManager(await managerOptions(options), deps, signal);
}

async function managerOptions(options: ControlPlaneOptions): Promise<CloudManagerOptions> {
  const kubeconfig = await clientKubeconfig(options, 'cloud-manager-client', managerUser);
  return { ...options, program: options.cloudManager, kubeconfig };
}

/** The programs of the cloud that may be ended and started again. */
export type CloudProgram =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'cloud-manager';

/** Starts one that was ended; does not wait until it serves. */
export async function startCloudProgram(
  options: ControlPlaneOptions,
  { daemons }: Pick<ControlPlaneDeps, 'daemons'>,
  program: CloudProgram,
): Promise<void> {
  if (program === 'cloud-manager') {
    await daemons.ensure(await cloudManagerSpec(await managerOptions(options)));
    return;
  }
  const { first, later } = daemonSpecs(options, await writeFiles(options));
  for (const spec of [...first, ...later]) if (spec.name === program) await daemons.ensure(spec);
}
