import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '@selvedge/hack/bundle';
import { bundleOf, bundleProgram } from '@selvedge/hack/programs';
import { ensureAssets } from '@selvedge/hack/setup';
import type { PrivateControlPlane } from '../../../bed/control-plane/private-control-plane.ts';
import { createKubectl } from '../../../bed/kubectl.ts';
import type { KeyPair } from '../../../bed/pki/certificate.ts';
import type { AgentSetup } from './agent.ts';
import { freePort } from '../../../bed/free-port.ts';
import { Processes, type Tunnel, type TunnelMaker, layLine, untilThrough } from './tunnel.ts';

export interface SelvedgeOptions {
  readonly controlPlane: PrivateControlPlane;
  readonly targetPort: number;
  readonly folder: string;
}

const nodeName = 'bench';
const clientName = 'kube-apiserver';
const deploy = join(import.meta.dirname, '../../../../deploy');
/** Those of edge-lite, in which the agent runs. */
const agentFlags = [
  '--max-semi-space-size=1',
  '--no-opt',
  '--no-maglev',
  '--optimize-for-size',
  '--v8-pool-size=1',
];
const agentEnvironment = ['MALLOC_ARENA_MAX=1', 'MALLOC_TRIM_THRESHOLD_=65536', 'UV_THREADPOOL_SIZE=2'];

/** Our definitions, and a node whose kubelet port is the target's. */
async function furnish({ controlPlane, targetPort }: SelvedgeOptions): Promise<void> {
  const { kubectl: program } = await ensureAssets({ binaries: ['kubectl'] });
  const kubectl = createKubectl({ program, kubeconfig: controlPlane.kubeconfig });
  for (const file of ['crds/selvedge.io_edgenodes.yaml', 'rbac/selvedge-cloud-manager.yaml']) {
    await kubectl(['apply', '--server-side', '--filename', join(deploy, file)]);
  }
  await kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd/edgenodes.selvedge.io']);
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName } };
  await kubectl(['create', '--filename', '-'], { input: JSON.stringify(node) });
  const status = { daemonEndpoints: { kubeletEndpoint: { Port: targetPort } } };
  const patch = ['--type=merge', '--patch', JSON.stringify({ status })];
  await kubectl(['patch', 'node', nodeName, '--subresource=status', ...patch]);
}

interface Files {
  readonly kubeconfig: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string;
}

async function writeFiles({ controlPlane, folder }: SelvedgeOptions): Promise<Files> {
  const pair = await controlPlane.issue({ commonName: 'cloud-manager', addresses: ['127.0.0.1'] });
  const path = (name: string): string => join(folder, `selvedge.${name}`);
  await writeFile(path('crt'), pair.certificate);
  await writeFile(path('key'), pair.key, { mode: 0o600 });
  await writeFile(path('ca'), controlPlane.ca);
  const { kubeconfig } = controlPlane;
  return { kubeconfig, certificateFile: path('crt'), keyFile: path('key'), clientCaFile: path('ca') };
}

const configOf = (
  { kubeconfig, clientCaFile, ...pair }: Files,
  ports: readonly [number, number],
): object => ({
  apiVersion: 'cloud-manager.selvedge.io/v1alpha1',
  kind: 'Config',
  serverName: 'bench',
  cluster: { kubeconfig },
  tunnel: { listen: [`127.0.0.1:${ports[1]}`], ...pair, clientCaFile },
  health: { listen: '127.0.0.1:0', ...pair },
  egress: { tls: { listen: `127.0.0.1:${ports[0]}`, ...pair, clientCaFile, clients: [clientName] } },
  log: { level: 'warn' },
});

async function writeAgent(options: SelvedgeOptions, server: string, node: KeyPair): Promise<string> {
  const { controlPlane, folder } = options;
  const { certificate, key: privateKey } = node;
  const credentials = { certificate, privateKey, certificateAuthority: controlPlane.ca };
  const setup: AgentSetup = { server, credentials };
  const file = join(folder, 'selvedge-agent.json');
  await writeFile(file, JSON.stringify(setup), { mode: 0o600 });
  return file;
}

/** cloud-manager as it is shipped, in front of an API server of its own, and the agent without the rest of edge-lite. */
export async function createSelvedge(options: SelvedgeOptions): Promise<TunnelMaker> {
  const { controlPlane, targetPort, folder } = options;
  await bundleProgram('cloud-manager');
  const agentProgram = join(folder, 'agent.cjs');
  const entry = join(import.meta.dirname, 'agent.ts');
  await bundle({ entry, outfile: agentProgram, maxBytes: 1024 * 1024 });
  await furnish(options);
  const files = await writeFiles(options);
  const issue = (commonName: string, organizations: readonly string[]): Promise<KeyPair> =>
    controlPlane.issue({ commonName, organizations, usages: ['client'] });
  const client = await issue(clientName, []);
  const node = await issue(`system:node:${nodeName}`, ['system:nodes']);
  const start = async (latencyMs: number): Promise<Tunnel> => {
    await using stack = new AsyncDisposableStack();
    const processes = stack.use(new Processes());
    const [port, agentPort] = [await freePort(), await freePort()];
    const configFile = join(folder, 'selvedge.json');
    await writeFile(configFile, JSON.stringify(configOf(files, [port, agentPort])));
    const argv = [process.execPath, bundleOf('cloud-manager'), 'run', '--config', configFile];
    const server = processes.start(argv);
    const line = await layLine({ port: agentPort, latencyMs, folder }, processes);
    const setup = await writeAgent(options, `127.0.0.1:${line}`, node);
    const tuned = ['env', ...agentEnvironment, process.execPath, ...agentFlags];
    const agent = processes.start([...tuned, agentProgram, setup]);
    const entrance = { port, authority: `${nodeName}:${targetPort}`, ca: controlPlane.ca, client };
    await untilThrough(entrance, 'the tunnel');
    const pids = { server: server.pid ?? 0, agent: agent.pid ?? 0 };
    const started = stack.move();
    return { entrance, agentPort, pids, [Symbol.asyncDispose]: () => started.disposeAsync() };
  };
  return { name: 'selvedge', start };
}
