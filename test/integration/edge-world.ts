import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureAssets } from '@selvedge/hack/setup';
import { hasCode, systemClock } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { clusterObjects } from '../bed/control-plane/objects.ts';
import {
  type PrivateControlPlane,
  createPrivateControlPlane,
} from '../bed/control-plane/private-control-plane.ts';
import { type BootstrapToken, createBootstrapToken } from '../bed/control-plane/token.ts';
import { applyManifests, createKubectl } from '../bed/kubectl.ts';
import { publicKeyHash } from '../bed/node/lite.ts';
import { waitFor } from '../bed/wait.ts';
import { connect } from './kube-world.ts';

/** A control plane that nodes can join by token. */
export interface Cluster extends AsyncDisposable {
  readonly controlPlane: PrivateControlPlane;
  readonly admin: KubeClient;
  readonly url: string;
  readonly caHash: string;
  createToken(lifetimeMs?: number): Promise<BootstrapToken>;
}

export interface ClusterOptions {
  /** The program. Default: the pinned version. */
  readonly apiServer?: string;
  readonly apiServerFlags?: readonly string[];
  readonly controllerManagerFlags?: readonly string[];
  /** Clients have a CA of their own. */
  readonly ownClientCa?: boolean;
}

/** What starts edge-lite. */
export type EdgeLiteProgram = readonly [string, ...string[]];

export const edgeLiteFromSource: EdgeLiteProgram = [
  process.execPath,
  join(import.meta.dirname, '../../packages/edge-lite/src/main.ts'),
];

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const assets = await ensureAssets({
    binaries: ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'],
  });
  const controlPlane = createPrivateControlPlane(
    {
      programs: { etcd: assets.etcd, apiServer: options.apiServer ?? assets['kube-apiserver'] },
      apiServerFlags: options.apiServerFlags ?? [],
      ownClientCa: options.ownClientCa ?? false,
      controllerManager: {
        program: assets['kube-controller-manager'],
        flags: options.controllerManagerFlags ?? [],
      },
    },
    { clock: systemClock },
  );
  await controlPlane.start(new AbortController().signal);
  const { kubeconfig, ca, port } = controlPlane;
  const url = `https://127.0.0.1:${port}`;
  const kubectl = createKubectl({ program: assets.kubectl, kubeconfig });
  await applyManifests(kubectl, clusterObjects({ server: url, ca, cloud: '192.0.2.1' }));
  const { client } = await connect(kubeconfig);
  return {
    controlPlane,
    admin: client,
    url,
    caHash: publicKeyHash(ca),
    createToken: (lifetimeMs) =>
      createBootstrapToken(kubectl, {
        clock: systemClock,
        ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
      }),
    async [Symbol.asyncDispose]() {
      await client.close();
      await controlPlane.stop();
    },
  };
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly text: string };

/** One start of edge-lite. */
export interface EdgeLite {
  readonly pid: number;
  readonly lines: readonly LogLine[];
  /** What it wrote that is no log line. */
  readonly output: readonly string[];
  /** Its exit code. */
  readonly exited: Promise<number | null>;
  /** The first line with the text, once it is written. */
  line(text: string | RegExp, timeoutMs?: number): Promise<LogLine>;
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

/** A node's folder, its config and its starts; all are gone when it is disposed. */
export interface EdgeNode extends AsyncDisposable {
  readonly name: string;
  readonly root: string;
  readonly pki: string;
  writeToken(token: string): Promise<void>;
  /** Runs edge-lite with the config, in which single top-level fields may be replaced. */
  start(
    config?: Readonly<Record<string, unknown>>,
    env?: Readonly<Record<string, string>>,
  ): Promise<EdgeLite>;
  node(): Promise<Node | undefined>;
}

/** What a program writes, which says it in JSON. */
export function follow(child: ChildProcess): EdgeLite {
  const lines: LogLine[] = [];
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (line.startsWith('{')) lines.push(JSON.parse(line) as LogLine);
      else output.push(line);
    });
  }
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const tail = (): string => [...output, ...lines.slice(-15).map((line) => JSON.stringify(line))].join('\n');
  return {
    pid: child.pid ?? 0,
    lines,
    output,
    exited,
    async line(text, timeoutMs = 30_000) {
      try {
        return await waitFor({ what: `"${text}"`, timeoutMs }, systemClock, async () => {
          return lines.find((line) => (typeof text === 'string' ? line.text === text : text.test(line.text)));
        });
      } catch (cause) {
        throw new Error(`no line "${text}"; the last ones:\n${tail()}`, { cause });
      }
    },
    signal: (name) => {
      child.kill(name);
    },
  };
}

export async function createEdgeNode(
  cluster: Pick<Cluster, 'admin' | 'caHash' | 'url'>,
  name: string,
  [program, ...args]: EdgeLiteProgram = edgeLiteFromSource,
): Promise<EdgeNode> {
  const root = await mkdtemp(join(tmpdir(), 'edge-lite-'));
  const tokenFile = join(root, 'token');
  const configFile = join(root, 'edge-lite.yaml');
  const children: ChildProcess[] = [];
  return {
    name,
    root,
    pki: join(root, 'var/lib/selvedge/pki'),
    writeToken: (token) => writeFile(tokenFile, `${token}\n`, { mode: 0o600 }),
    async start(config = {}, env = {}) {
      const base = {
        apiVersion: 'edge-lite.selvedge.io/v1alpha1',
        kind: 'Config',
        nodeName: name,
        root,
        server: { urls: [cluster.url], caHash: cluster.caHash, tokenFile },
        runtime: { endpoint: `unix://${root}/containerd.sock` },
        // All of them share this machine's loopback.
        modules: { hub: { port: 0, address: 'none' }, pods: {} },
        log: { level: 'debug' },
      };
      await writeFile(configFile, JSON.stringify({ ...base, ...config }, null, 2));
      const child = spawn(program, [...args, 'run', '--config', configFile], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...env },
      });
      children.push(child);
      return follow(child);
    },
    async node() {
      const options = { signal: AbortSignal.timeout(10_000) };
      return cluster.admin.get(resources.nodes, { name }, options).catch((error: unknown) => {
        if (hasCode(error, 'NotFound')) return undefined;
        throw error;
      });
    },
    async [Symbol.asyncDispose]() {
      for (const child of children.filter(({ exitCode, signalCode }) => (exitCode ?? signalCode) === null)) {
        const closed = once(child, 'close');
        child.kill('SIGKILL');
        await closed;
      }
      await rm(root, { recursive: true, force: true });
    },
  };
}

export const tokenText = (token: BootstrapToken): string => `${token.id}.${token.secret}`;
