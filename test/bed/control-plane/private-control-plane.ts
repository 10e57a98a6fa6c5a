import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, type Service, SelvedgeError, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import {
  type Credentials,
  type KubeClient,
  createKubeClient,
  createKubeMetrics,
  staticCredentials,
} from '@selvedge/kube';
import type { CertificateRequest, KeyPair } from '../pki/certificate.ts';
import { renderKubeconfig } from '../pki/kubeconfig.ts';
import { type Pki, openPki } from '../pki/pki.ts';
import { writeAtomically } from '../state/files.ts';
import { freePort } from '../free-port.ts';
import { waitFor } from '../wait.ts';

export interface PrivateControlPlaneOptions {
  /** Absolute paths. */
  readonly programs: { readonly etcd: string; readonly apiServer: string };
  /** Further flags of the API server. */
  readonly apiServerFlags?: readonly string[];
  /** As k3s has it: clients have a CA of their own, which servers and service accounts are not told of. Default false. */
  readonly ownClientCa?: boolean;
  /** Default: none. */
  readonly controllerManager?: { readonly program: string; readonly flags?: readonly string[] };
}

/**
 * One etcd, one API server and, if asked for, one controller manager, on ports of the loopback interface that were
 * free, with data in a temporary folder. They cannot outlive their owner: each is ended when a pipe from the owner
 * breaks.
 */
export interface PrivateControlPlane extends Service {
  /** Of a cluster administrator. These throw before `start`. */
  readonly kubeconfig: string;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  /** A certificate signed by the cluster's CA. */
  issue(request: CertificateRequest): Promise<KeyPair>;
  /** One signed by the CA that the API server takes clients from. */
  issueClient(request: CertificateRequest): Promise<KeyPair>;
  /** SIGTERM, which drains and ends the watches; or SIGKILL. Resolves once it is gone. */
  stopApiServer(how?: 'drain' | 'kill'): Promise<void>;
  /** On the same port. Resolves once it is ready. */
  startApiServer(signal?: AbortSignal): Promise<void>;
  /** SIGKILL. Resolves once it is gone. Nothing if there is none. */
  stopControllerManager(): Promise<void>;
  startControllerManager(): Promise<void>;
  /** Forgets the history of all objects before now. */
  compact(signal: AbortSignal): Promise<void>;
}

/** Passes a signal's name on and waits for the end; kills at the end of the pipe. */
const supervise = `"$@" <&- & child=$!
  if read -r name; then kill -$name $child; else kill -KILL $child; fi
  wait $child`;

/** As kubeadm names it. */
const kubeletClient = {
  commonName: 'kube-apiserver-kubelet-client',
  organizations: ['system:masters'],
  usages: ['client'],
} as const;
const admin = { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] } as const;
/** Nothing listens there; the API server wants an address that is not of the loopback interface. */
const advertised = '192.0.2.1';

async function ended(supervisor: ChildProcess | undefined, signal?: 'TERM'): Promise<void> {
  if (supervisor === undefined || supervisor.exitCode !== null) return;
  const exit = once(supervisor, 'exit');
  supervisor.stdin?.end(signal === undefined ? undefined : `${signal}\n`);
  await exit;
}

class LoopbackControlPlane implements PrivateControlPlane {
  readonly name = 'private control plane';
  readonly #options: PrivateControlPlaneOptions;
  readonly #clock: Clock;
  #folder: string | undefined;
  #pki: Pki | undefined;
  #clientPki: Pki | undefined;
  #ports = { etcd: 0, peer: 0, apiServer: 0 };
  #etcd: ChildProcess | undefined;
  #apiServer: ChildProcess | undefined;
  #controllerManager: ChildProcess | undefined;

  constructor(options: PrivateControlPlaneOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  get kubeconfig(): string {
    return this.#path('admin.kubeconfig');
  }

  get port(): number {
    return this.#ports.apiServer;
  }

  get ca(): string {
    return this.#keys().ca.keyPair.certificate;
  }

  issue(request: CertificateRequest): Promise<KeyPair> {
    return this.#keys().ca.issue(request);
  }

  issueClient(request: CertificateRequest): Promise<KeyPair> {
    return this.#clients().ca.issue(request);
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'selvedge-control-plane-'));
    this.#pki = await openPki(this.#path('pki'), this.#clock);
    this.#ports = { etcd: await freePort(), peer: await freePort(), apiServer: await freePort() };
    const server = `https://127.0.0.1:${this.port}`;
    if (this.#options.ownClientCa === true)
      this.#clientPki = await openPki(this.#path('clients'), this.#clock);
    const credentials = await this.#clients().ensure('admin', admin);
    const text = renderKubeconfig({ server, ca: this.ca, cluster: 'private', user: 'admin', credentials });
    await writeAtomically(this.kubeconfig, text, 0o600);
    this.#etcd = await this.#launch('etcd', [this.#options.programs.etcd, ...this.#etcdFlags()]);
    await this.startApiServer(signal);
    await this.startControllerManager();
  }

  stopControllerManager(): Promise<void> {
    return ended(this.#controllerManager);
  }

  async startControllerManager(): Promise<void> {
    const { controllerManager } = this.#options;
    if (controllerManager === undefined) return;
    const argv = [
      controllerManager.program,
      ...this.#controllerManagerFlags(),
      ...(controllerManager.flags ?? []),
    ];
    this.#controllerManager = await this.#launch('controller-manager', argv);
  }

  async stop(): Promise<void> {
    await ended(this.#controllerManager);
    await ended(this.#apiServer);
    await ended(this.#etcd);
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  async stopApiServer(how: 'drain' | 'kill' = 'drain'): Promise<void> {
    await ended(this.#apiServer, how === 'drain' ? 'TERM' : undefined);
  }

  async startApiServer(signal?: AbortSignal): Promise<void> {
    const flags = await this.#apiServerFlags();
    this.#apiServer = await this.#launch('apiserver', [this.#options.programs.apiServer, ...flags]);
    const { certificate, key } = await this.#clients().ensure('admin', admin);
    const clientCertificate = { certificate, privateKey: key };
    const client = this.#client(`https://127.0.0.1:${this.port}`, {
      certificateAuthority: this.ca,
      clientCertificate,
    });
    const wait = { what: 'a ready API server', timeoutMs: 90_000, signal };
    try {
      await waitFor(wait, this.#clock, async (attempt) => {
        await client.raw({ method: 'GET', path: '/readyz', accept: '*/*', signal: attempt });
        return true;
      });
    } catch (cause) {
      const log = await readFile(this.#path('apiserver.log'), 'utf8');
      throw new SelvedgeError(`no API server: ${log.slice(-2_000)}`, { code: 'Unavailable', cause });
    } finally {
      await client.close();
    }
  }

  async compact(signal: AbortSignal): Promise<void> {
    const client = this.#client(`http://127.0.0.1:${this.#ports.etcd}`, {});
    const call = async (method: string, body: object): Promise<unknown> => {
      const path = `/v3/kv/${method}`;
      const answer = await client.raw({ method: 'POST', path, body: JSON.stringify(body), signal });
      return JSON.parse(answer.body.toString('utf8'));
    };
    try {
      const key = Buffer.from('/').toString('base64');
      const { header } = (await call('range', { key })) as { header: { revision: string } };
      await call('compaction', { revision: header.revision, physical: true });
    } finally {
      await client.close();
    }
  }

  #client(server: string, credentials: Credentials): KubeClient {
    return createKubeClient(
      { servers: [server], userAgent: 'selvedge-bed' },
      {
        credentials: staticCredentials(credentials),
        clock: this.#clock,
        random: Math.random,
        log: silentLogger,
        metrics: createKubeMetrics(createMetricsRegistry()),
      },
    );
  }

  #etcdFlags(): readonly string[] {
    const [client, peer] = [this.#ports.etcd, this.#ports.peer].map((port) => `http://127.0.0.1:${port}`);
    return [
      `--data-dir=${this.#path('etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--unsafe-no-fsync',
    ];
  }

  async #apiServerFlags(): Promise<readonly string[]> {
    const pki = this.#keys();
    const addresses = ['127.0.0.1'];
    const serving = await pki.ensure('apiserver', {
      commonName: 'kube-apiserver',
      addresses,
      usages: ['server'],
    });
    const toKubelets = await pki.ensure('apiserver-kubelet-client', kubeletClient);
    return [
      `--etcd-servers=http://127.0.0.1:${this.#ports.etcd}`,
      '--bind-address=127.0.0.1',
      `--advertise-address=${advertised}`,
      `--secure-port=${this.port}`,
      `--tls-cert-file=${serving.certificateFile}`,
      `--tls-private-key-file=${serving.keyFile}`,
      `--client-ca-file=${this.#clients().caFile.certificateFile}`,
      `--kubelet-certificate-authority=${pki.caFile.certificateFile}`,
      `--kubelet-client-certificate=${toKubelets.certificateFile}`,
      `--kubelet-client-key=${toKubelets.keyFile}`,
      '--kubelet-preferred-address-types=InternalIP,Hostname',
      `--service-account-key-file=${pki.serviceAccountKeys.publicKey}`,
      `--service-account-signing-key-file=${pki.serviceAccountKeys.privateKey}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--disable-admission-plugins=ServiceAccount',
      '--enable-bootstrap-token-auth',
      '--shutdown-watch-termination-grace-period=2s',
      ...(this.#options.apiServerFlags ?? []),
    ];
  }

  /** As an administrator; it listens on nothing. */
  #controllerManagerFlags(): readonly string[] {
    const { caFile, serviceAccountKeys } = this.#keys();
    const { caFile: signing } = this.#clients();
    return [
      `--kubeconfig=${this.kubeconfig}`,
      '--controllers=*,bootstrapsigner,tokencleaner',
      `--cluster-signing-cert-file=${signing.certificateFile}`,
      `--cluster-signing-key-file=${signing.keyFile}`,
      `--root-ca-file=${caFile.certificateFile}`,
      `--service-account-private-key-file=${serviceAccountKeys.privateKey}`,
      '--leader-elect=false',
      '--secure-port=0',
    ];
  }

  async #launch(name: string, argv: readonly string[]): Promise<ChildProcess> {
    await using log = await open(this.#path(`${name}.log`), 'a');
    const child = spawn('sh', ['-c', supervise, 'sh', ...argv], { stdio: ['pipe', log.fd, log.fd] });
    child.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
    await once(child, 'spawn');
    return child;
  }

  #keys(): Pki {
    if (this.#pki !== undefined) return this.#pki;
    throw new SelvedgeError(`${this.name} has not been started`, { code: 'Internal' });
  }

  #clients(): Pki {
    return this.#clientPki ?? this.#keys();
  }

  #path(name: string): string {
    if (this.#folder !== undefined) return join(this.#folder, name);
    throw new SelvedgeError(`${this.name} has not been started`, { code: 'Internal' });
  }
}

export function createPrivateControlPlane(
  options: PrivateControlPlaneOptions,
  deps: { readonly clock: Clock },
): PrivateControlPlane {
  return new LoopbackControlPlane(options, deps.clock);
}
