import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hubRole, hubRoleBinding } from '@selvedge/api';
import { waitFor } from '@selvedge/bed';
import { bundleOf, bundleProgram } from '@selvedge/hack/programs';
import { ensureAssets } from '@selvedge/hack/setup';
import { createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import {
  type KubeClient,
  createKubeClient,
  createKubeMetrics,
  resources,
  staticCredentials,
} from '@selvedge/kube';
import {
  type PrivateControlPlane,
  createPrivateControlPlane,
} from '../../bed/control-plane/private-control-plane.ts';
import { freePort } from '../../bed/free-port.ts';
import { createKubectl } from '../../bed/kubectl.ts';
import { publicKeyHash } from '../../bed/node/lite.ts';
import type { KeyPair } from '../../bed/pki/certificate.ts';
import { renderKubeconfig } from '../../bed/pki/kubeconfig.ts';
import { type TreeUse, useOfTree } from '../process-tree.ts';

/** The node of the hub. */
export const nodeName = 'bench';
/** A client with every right, directly and through the hub. */
const user = 'selvedge:bench';
const signal = new AbortController().signal;

/** An API server, and a hub in front of it as it is shipped, with nothing else. */
export interface HubWorld extends AsyncDisposable {
  readonly direct: KubeClient;
  readonly hub: KubeClient;
  use(): Promise<TreeUse>;
  /** Ends the hub and starts it on what it left; resolves with the time to the first answer, in milliseconds. */
  restart(): Promise<number>;
  /** Our definitions, as they are shipped. */
  define(): Promise<void>;
}

const definitions = join(import.meta.dirname, '../../../deploy/crds');

function clientOf(server: string, ca: string, { certificate, key }: KeyPair): KubeClient {
  const credentials = { certificateAuthority: ca, clientCertificate: { certificate, privateKey: key } };
  return createKubeClient(
    { servers: [server], userAgent: 'selvedge-bench', maxBodyBytes: 512 * 1024 * 1024 },
    {
      credentials: staticCredentials(credentials),
      clock: systemClock,
      random: () => 0.5,
      log: silentLogger,
      metrics: createKubeMetrics(createMetricsRegistry()),
    },
  );
}

interface Machine {
  readonly root: string;
  readonly port: number;
  readonly argv: readonly [string, ...string[]];
}

/** The node's folder with an identity, as if it had joined, and its config. */
async function prepare(controlPlane: PrivateControlPlane, keyPair: KeyPair): Promise<Machine> {
  const root = await mkdtemp(join(tmpdir(), 'bench-hub-'));
  const pki = join(root, 'var/lib/selvedge/pki');
  const url = `https://127.0.0.1:${controlPlane.port}`;
  await mkdir(pki, { recursive: true, mode: 0o700 });
  const own = await controlPlane.issue({
    commonName: `system:node:${nodeName}`,
    organizations: ['system:nodes'],
    usages: ['client'],
  });
  await writeFile(join(pki, 'ca.crt'), controlPlane.ca);
  await writeFile(join(pki, 'client.pem'), own.certificate + own.key, { mode: 0o600 });
  const kubeconfig = join(root, 'client.kubeconfig');
  const access = { server: url, ca: controlPlane.ca, cluster: 'bench', user, credentials: keyPair };
  await writeFile(kubeconfig, renderKubeconfig(access), { mode: 0o600 });
  const port = await freePort();
  const config = {
    apiVersion: 'edge-lite.selvedge.io/v1alpha1',
    kind: 'Config',
    nodeName,
    root,
    server: { urls: [url], caHash: publicKeyHash(controlPlane.ca) },
    modules: { hub: { port, address: 'none', clients: [{ name: user, kubeconfig }] } },
    log: { level: 'warn' },
  };
  const configFile = join(root, 'edge-lite.yaml');
  await writeFile(configFile, JSON.stringify(config));
  return { root, port, argv: [process.execPath, bundleOf('edge-lite'), 'run', '--config', configFile] };
}

async function allow(admin: KubeClient): Promise<void> {
  await admin.create(resources.clusterRoles, hubRole, { signal });
  await admin.create(resources.clusterRoleBindings, hubRoleBinding, { signal });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }];
  await admin.create(
    resources.clusterRoleBindings,
    { metadata: { name: 'bench' }, roleRef, subjects },
    { signal },
  );
  await admin.create(resources.nodes, { metadata: { name: nodeName } }, { signal });
}

class Hub {
  readonly #machine: Machine;
  #child: ChildProcess | undefined;
  #client: KubeClient | undefined;
  readonly #keyPair: KeyPair;

  constructor(machine: Machine, keyPair: KeyPair) {
    this.#machine = machine;
    this.#keyPair = keyPair;
  }

  get client(): KubeClient {
    if (this.#client === undefined) throw new TypeError('the hub does not run');
    return this.#client;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves with the time to the first answer, in milliseconds. */
  async start(): Promise<number> {
    const began = systemClock.monotonicMs();
    const { argv, root, port } = this.#machine;
    const [program, ...args] = argv;
    this.#child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const bundle = join(root, 'var/lib/selvedge/pki/hub-ca.crt');
    await waitFor({ what: 'an answer of the hub', everyMs: 10 }, systemClock, async (attempt) => {
      this.#client ??= clientOf(`https://127.0.0.1:${port}`, await readFile(bundle, 'utf8'), this.#keyPair);
      await this.#client.get(resources.nodes, { name: nodeName }, { signal: attempt });
      return true;
    });
    return systemClock.monotonicMs() - began;
  }

  async stop(): Promise<void> {
    await this.#client?.close();
    this.#client = undefined;
    const child = this.#child;
    if (child === undefined || (child.exitCode ?? child.signalCode) !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }
}

export async function openHubWorld(): Promise<HubWorld> {
  await bundleProgram('edge-lite');
  const assets = await ensureAssets({ binaries: ['etcd', 'kube-apiserver', 'kubectl'] });
  const programs = { etcd: assets.etcd, apiServer: assets['kube-apiserver'] };
  const controlPlane = createPrivateControlPlane({ programs }, { clock: systemClock });
  await controlPlane.start(signal);
  const issue = (commonName: string, organizations: readonly string[]): Promise<KeyPair> =>
    controlPlane.issue({ commonName, organizations, usages: ['client'] });
  const url = `https://127.0.0.1:${controlPlane.port}`;
  const direct = clientOf(url, controlPlane.ca, await issue('bench-admin', ['system:masters']));
  await allow(direct);
  const keyPair = await issue(user, []);
  const machine = await prepare(controlPlane, keyPair);
  const hub = new Hub(machine, keyPair);
  await hub.start();
  return {
    direct,
    get hub() {
      return hub.client;
    },
    use: () => useOfTree(hub.pid),
    async restart() {
      await hub.stop();
      return hub.start();
    },
    async define() {
      const kubectl = createKubectl({ program: assets.kubectl, kubeconfig: controlPlane.kubeconfig });
      await kubectl(['apply', '--server-side', '--kustomize', definitions]);
      await kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
    },
    async [Symbol.asyncDispose]() {
      await hub.stop();
      await direct.close();
      await controlPlane.stop();
      await rm(machine.root, { recursive: true, force: true });
    },
  };
}
