import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import type { CertificateRequest, KeyPair } from '../bed/pki/certificate.ts';
import { publicKeyHash } from '../bed/node/lite.ts';
import { waitFor } from '../bed/wait.ts';
import { type ReadApi, bytesOf, createHttpsReadApi } from '../contract/read-api-client.ts';
import { type ResetProxy, startResetProxy } from '../contract/reset-proxy.ts';
import { type EdgeLite, type EdgeLiteProgram, createEdgeNode } from './edge-world.ts';
import { type HubCluster, nodeName } from './hub-cluster.ts';

/** Who a client of the hub is. */
export type Identity = { readonly token: string } | KeyPair;

/** The parts of `/selvedge/status` that tests look at. */
export interface HubStatus {
  readonly connectivity: { readonly kind: 'connecting' | 'offline' | 'online'; readonly since: string };
  readonly coverages: readonly {
    readonly resource: string;
    readonly namespace: string;
    readonly sponsor?: unknown;
    readonly state: { readonly kind: string };
  }[];
  readonly overlays: readonly { readonly resource: string; readonly name: string }[];
}

/** The disk of a node on which edge-lite runs as a hub and nothing else, in a process of its own, and its link. */
export interface HubProcess extends AsyncDisposable {
  readonly link: ResetProxy;
  /** The same in all runs. These throw before the first one. */
  readonly url: string;
  /** Whom its clients trust, PEM. */
  readonly ca: string;
  readonly kubelet: KeyPair;
  readonly run: EdgeLite;
  start(): Promise<EdgeLite>;
  stop(how?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Resolves once the hub knows that the cloud is away, or back. */
  cut(kind?: 'blackhole' | 'refused'): Promise<void>;
  heal(): Promise<void>;
  /** Closed with the process. */
  api(identity: Identity): ReadApi;
  /** Path of a file. */
  kubeconfig(name: string, identity: Identity): Promise<string>;
  status(): Promise<HubStatus>;
}

export interface HubProcessOptions {
  /** Users in client certificates, for whom the hub acts as who they are. */
  readonly clients?: readonly string[];
  /** Of what it takes for the API server. Default: the API server's. */
  readonly serverPort?: number;
  /** More of `modules.hub`. */
  readonly hub?: object;
  /** What starts edge-lite. Default: Node, from the source. */
  readonly program?: EdgeLiteProgram;
  /** `modules.tunnel` of its config. Default: it has none. */
  readonly tunnel?: object;
}

const kubelet: CertificateRequest = {
  commonName: `system:node:${nodeName}`,
  organizations: ['system:nodes'],
  usages: ['client'],
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Server {
  readonly url: string;
  readonly ca: string;
}

/** A kubeconfig is YAML, and so is JSON. */
function kubeconfigOf({ url, ca }: Server, identity: Identity): string {
  const user =
    'token' in identity
      ? identity
      : {
          'client-certificate-data': base64(identity.certificate),
          'client-key-data': base64(identity.key),
        };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'hub', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'hub', context: { cluster: 'hub', user: 'user' } }],
    'current-context': 'hub',
  });
}

function openApi({ url, ca }: Server, identity: Identity): ReadApi & Disposable {
  if ('token' in identity) return createHttpsReadApi({ url, ca, token: identity.token });
  return createHttpsReadApi({ url, ca, certificate: identity.certificate, privateKey: identity.key });
}

export async function createHubProcess(
  cluster: HubCluster,
  options: HubProcessOptions = {},
): Promise<HubProcess> {
  const stack = new AsyncDisposableStack();
  const link = stack.use(await startResetProxy(options.serverPort ?? cluster.controlPlane.port));
  const server = { url: `https://127.0.0.1:${link.port}`, ca: cluster.controlPlane.ca };
  const at = { admin: cluster.admin, url: server.url, caHash: publicKeyHash(server.ca) };
  const node = stack.use(await createEdgeNode(at, nodeName, options.program));
  const pair = await cluster.issue(kubelet);
  await mkdir(node.pki, { recursive: true, mode: 0o700 });
  await writeFile(join(node.pki, 'ca.crt'), server.ca);
  await writeFile(join(node.pki, 'client.pem'), pair.certificate + pair.key, { mode: 0o600 });
  const clients = await Promise.all(
    (options.clients ?? []).map(async (name, i) => {
      const kubeconfig = join(node.root, `client-${i}.kubeconfig`);
      const credentials = await cluster.issue({ commonName: name, usages: ['client'] });
      await writeFile(kubeconfig, kubeconfigOf(server, credentials), { mode: 0o600 });
      return { name, kubeconfig };
    }),
  );
  let run: EdgeLite | undefined;
  let port = 0;
  let ca = '';
  const runOf = (): EdgeLite => {
    if (run === undefined) throw new TypeError('not started');
    return run;
  };
  const hubOf = (): Server => ({ url: `https://127.0.0.1:${port}`, ca });
  const open = (identity: Identity): ReadApi => stack.use(openApi(hubOf(), identity));
  const status = async (): Promise<HubStatus> => {
    using api = openApi(hubOf(), pair);
    const answer = await api.send({ path: '/selvedge/status', signal: AbortSignal.timeout(10_000) });
    return JSON.parse((await bytesOf(answer)).toString('utf8')) as HubStatus;
  };
  const until = (kind: string): Promise<unknown> =>
    waitFor({ what: `${kind} hub`, everyMs: 20 }, systemClock, async () =>
      (await status()).connectivity.kind === kind ? true : undefined,
    );
  return {
    link,
    get url() {
      return hubOf().url;
    },
    get ca() {
      return ca;
    },
    kubelet: pair,
    get run() {
      return runOf();
    },
    async start() {
      const hub = { port, address: 'none', clients, ...options.hub };
      run = await node.start({ modules: { hub, tunnel: options.tunnel } });
      const { port: opened } = await run.line('hub listens');
      port = Number(opened);
      ca = await readFile(join(node.pki, 'hub-ca.crt'), 'utf8');
      return run;
    },
    async stop(how = 'SIGTERM') {
      const stopped = runOf();
      stopped.signal(how);
      await stopped.exited;
    },
    async cut(kind = 'refused') {
      if (kind === 'refused') link.refuse();
      else link.freeze();
      await until('offline');
    },
    async heal() {
      link.allow();
      link.thaw();
      await until('online');
    },
    api: open,
    async kubeconfig(name, identity) {
      const file = join(node.root, `${name}.kubeconfig`);
      await writeFile(file, kubeconfigOf(hubOf(), identity), { mode: 0o600 });
      return file;
    },
    status,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
