import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { EdgeNode as EdgeNodeFields } from '@selvedge/api';
import { edgeNodes, managerNamespace } from '@selvedge/api';
import { ensureAssets } from '@selvedge/hack/setup';
import { createMetricsRegistry, hasCode, silentLogger, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { type KubeClient, type KubeObject, defineResource, mergePatch, resources } from '@selvedge/kube';
import { type TunnelAgent, type TunnelAgentDeps, createTunnelAgent } from '@selvedge/tunnel/agent';
import { type Kubectl, createKubectl } from '../bed/kubectl.ts';
import type { KeyPair } from '../bed/pki/certificate.ts';
import { waitFor } from '../bed/wait.ts';
import { type Cluster, type ClusterOptions, type EdgeLite, follow, startCluster } from './edge-world.ts';
import { connectWith } from './kube-world.ts';

const repository = join(import.meta.dirname, '../..');
const mainFile = join(repository, 'packages/cloud-manager/src/main.ts');

export type EdgeNode = KubeObject & EdgeNodeFields;
export const edgeNodeResource = defineResource<EdgeNode>(edgeNodes);

/** What a test has otherwise in the config of a manager. */
export interface ConfigChange extends Readonly<Record<string, unknown>> {
  readonly tunnel?: object;
}

/** A cluster with our definitions, policies and rights, and the managers and agents that tests start in it. */
export interface ManagerWorld extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly admin: KubeClient;
  readonly kubectl: Kubectl;
  /** With `config` in place of single top-level fields, and of those of `tunnel`. Resolves once it serves. */
  startManager(server: string, config?: ConfigChange): Promise<RunningManager>;
  /** What registers its webhook, as the program prints it. */
  printWebhook(manager: RunningManager): Promise<string>;
  /** The Node and its certificate. */
  addNode(name: string): Promise<KeyPair>;
  /** As the node of a certificate. */
  client(pair: KeyPair): KubeClient;
  /** A tunnel agent of a node, connecting to these. */
  startAgent(pair: KeyPair, managers: readonly RunningManager[], serve?: Serve): Promise<TunnelAgent>;
  edgeNode(name: string): Promise<EdgeNode | undefined>;
  ban(name: string, banned: boolean): Promise<void>;
}

/** What an agent serves; default nothing. */
export type Serve = Pick<TunnelAgentDeps, 'allow'>;

export interface RunningManager extends EdgeLite {
  readonly server: string;
  readonly configFile: string;
  readonly ports: {
    readonly health: number;
    readonly webhook: number;
    readonly tunnel: readonly number[];
    readonly egress?: number;
    readonly kubeletProxy?: number;
    readonly connectProxy?: number;
  };
  get(path: string, identity?: KeyPair | string): Promise<{ readonly status: number; readonly body: string }>;
}

export const { signal } = new AbortController();

export const until = <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> =>
  waitFor({ what }, systemClock, look);

/** A file's manifests are applied, then what they define is waited for. */
async function install(kubectl: Kubectl): Promise<void> {
  const files = ['crds/selvedge.io_edgenodes', 'crds/selvedge.io_edgeunits', 'rbac/selvedge-cloud-manager'];
  for (const file of files) {
    await kubectl(['apply', '--server-side', '--filename', join(repository, `deploy/${file}.yaml`)]);
  }
  const definitions = ['crd/edgenodes.selvedge.io', 'crd/edgeunits.selvedge.io'];
  await kubectl(['wait', '--for=condition=Established', '--timeout=30s', ...definitions]);
}

/** Of the service account that the manifests make, with exactly its rights. */
async function accountKubeconfig(cluster: Cluster, kubectl: Kubectl): Promise<string> {
  const args = ['create', 'token', 'cloud-manager', '--namespace', managerNamespace, '--duration=2h'];
  const { stdout } = await kubectl(args);
  const data = Buffer.from(cluster.controlPlane.ca).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: cluster.url, 'certificate-authority-data': data } }],
    users: [{ name: 'u', user: { token: stdout.trim() } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  });
}

async function getFrom(
  port: number,
  path: string,
  { ca, identity }: { readonly ca: string; readonly identity: KeyPair | string | undefined },
): Promise<{ readonly status: number; readonly body: string }> {
  const pair = typeof identity === 'object' ? { cert: identity.certificate, key: identity.key } : {};
  const headers = typeof identity === 'string' ? { authorization: `Bearer ${identity}` } : {};
  const sent = httpsRequest({ host: '127.0.0.1', port, path, ca, headers, ...pair, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [Parameters<typeof text>[0] & { statusCode: number }];
  return { status: response.statusCode, body: await text(response) };
}

class World implements ManagerWorld {
  readonly #children: ChildProcess[] = [];
  readonly #closers: (() => Promise<void>)[] = [];
  readonly cluster: Cluster;
  readonly kubectl: Kubectl;
  readonly #folder: string;

  constructor(parts: { readonly cluster: Cluster; readonly kubectl: Kubectl; readonly folder: string }) {
    this.cluster = parts.cluster;
    this.kubectl = parts.kubectl;
    this.#folder = parts.folder;
  }

  get admin(): KubeClient {
    return this.cluster.admin;
  }

  async startManager(server: string, config: ConfigChange = {}): Promise<RunningManager> {
    const configFile = await this.#writeConfig(server, config);
    const child = spawn(process.execPath, [mainFile, 'run', '--config', configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    const running = follow(child);
    const started = (await running.line('started', 90_000)) as unknown as RunningManager['ports'];
    const { ca } = this.cluster.controlPlane;
    return Object.assign(running, {
      server,
      configFile,
      ports: started,
      get: (path: string, identity?: KeyPair | string) => getFrom(started.health, path, { ca, identity }),
    });
  }

  async printWebhook({ configFile, ports }: RunningManager): Promise<string> {
    // The port was any: what is registered names the one that it became.
    const config = await readFile(configFile, 'utf8');
    const named = join(this.#folder, 'webhook.yaml');
    await writeFile(named, config.replace('127.0.0.1:1', `127.0.0.1:${ports.webhook}`));
    const child = spawn(process.execPath, [mainFile, 'webhook-configuration', '--config', named]);
    return text(child.stdout);
  }

  async addNode(name: string): Promise<KeyPair> {
    const status = {
      addresses: [
        { type: 'InternalIP', address: '192.0.2.10' },
        { type: 'Hostname', address: name },
      ],
    };
    await this.admin.create(resources.nodes, { metadata: { name } }, { signal });
    const options = { patch: mergePatch({ status }), subresource: 'status', signal };
    await this.admin.patch(resources.nodes, { name }, options);
    return this.cluster.controlPlane.issueClient({
      commonName: `system:node:${name}`,
      organizations: ['system:nodes'],
      usages: ['client'],
    });
  }

  client({ certificate, key }: KeyPair): KubeClient {
    const clientCertificate = { certificate, privateKey: key };
    const { ca } = this.cluster.controlPlane;
    const client = connectWith(this.cluster.url, { certificateAuthority: ca, clientCertificate });
    this.#closers.push(() => client.close());
    return client;
  }

  async startAgent(
    { certificate, key }: KeyPair,
    managers: readonly RunningManager[],
    serve: Serve = { allow: () => ({ kind: 'refused', reason: 'nothing is served here' }) },
  ): Promise<TunnelAgent> {
    const certificateAuthority = this.cluster.controlPlane.ca;
    const agent = createTunnelAgent(
      {
        servers: managers.map(({ ports }) => ({ address: `127.0.0.1:${ports.tunnel[0]}` })),
        carriers: ['tls'],
        timeouts: { retryMs: 100, maxRetryMs: 500 },
      },
      {
        clock: systemClock,
        random: seededRandom(3),
        log: silentLogger,
        metrics: createMetricsRegistry(),
        credentials: async () => ({ certificate, privateKey: key, certificateAuthority }),
        ...serve,
      },
    );
    this.#closers.push(() => agent.stop());
    await agent.start(signal);
    return agent;
  }

  async edgeNode(name: string): Promise<EdgeNode | undefined> {
    return this.admin.get(edgeNodeResource, { name }, { signal }).catch((error: unknown) => {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    });
  }

  async ban(name: string, banned: boolean): Promise<void> {
    const patch = JSON.stringify({ spec: { banned } });
    await this.kubectl(['patch', 'edgenode', name, '--type=merge', '--patch', patch]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#closers.map((close) => close()));
    for (const child of this.#children.filter((one) => (one.exitCode ?? one.signalCode) === null)) {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
    await this.cluster[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #writeConfig(server: string, { tunnel = {}, ...config }: ConfigChange): Promise<string> {
    const { controlPlane } = this.cluster;
    const pair = await controlPlane.issue({ commonName: server, addresses: ['127.0.0.1'] });
    const path = (file: string): string => join(this.#folder, `${server}.${file}`);
    await writeFile(path('crt'), pair.certificate);
    await writeFile(path('key'), pair.key, { mode: 0o600 });
    await writeFile(path('ca'), controlPlane.ca);
    const files = { certificateFile: path('crt'), keyFile: path('key') };
    const listen = '127.0.0.1:0';
    const document = {
      apiVersion: 'cloud-manager.selvedge.io/v1alpha1',
      kind: 'Config',
      serverName: server,
      cluster: { kubeconfig: join(this.#folder, 'kubeconfig') },
      tunnel: { listen: [listen], ...files, drainSeconds: 5, ...tunnel },
      health: { listen, ...files },
      webhook: { listen, ...files, caFile: path('ca'), reach: { url: 'https://127.0.0.1:1' } },
      leaderElection: { leaseDurationSeconds: 5, renewDeadlineSeconds: 3, retrySeconds: 1 },
      log: { level: 'debug' },
      ...config,
    };
    await writeFile(path('yaml'), JSON.stringify(document, null, 2));
    return path('yaml');
  }
}

export async function startManagerWorld(options: ClusterOptions = {}): Promise<ManagerWorld> {
  const { kubectl: program } = await ensureAssets({ binaries: ['kubectl'] });
  const cluster = await startCluster(options);
  const folder = await mkdtemp(join(tmpdir(), 'cloud-manager-'));
  const kubectl = createKubectl({ program, kubeconfig: cluster.controlPlane.kubeconfig });
  await install(kubectl);
  await writeFile(join(folder, 'kubeconfig'), await accountKubeconfig(cluster, kubectl), { mode: 0o600 });
  return new World({ cluster, kubectl, folder });
}
