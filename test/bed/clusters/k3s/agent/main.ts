import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { k3sPaths } from '../paths.ts';
import { type Programs, componentsOf } from './components.ts';
import { type AgentConfig, mergeConfig } from './config.ts';
import { writtenAtStart } from './files.ts';
import { type ServersFile, loadBalancerPort, serveLoadBalancer } from './load-balancer.ts';

/**
 * Plays `k3s agent` on a machine: reads what it reads, writes what it writes at each start, waits for a server as it does, and
 * runs its three parts, which end with it; their containers do not.
 */
async function readConfig(): Promise<AgentConfig> {
  const dropIns = await readdir(k3sPaths.configFolder).catch(() => []);
  const names = dropIns.filter((name) => /\.ya?ml$/.test(name)).toSorted();
  const files = [k3sPaths.config, ...names.map((name) => join(k3sPaths.configFolder, name))];
  return mergeConfig(await Promise.all(files.map((file) => readFile(file, 'utf8'))));
}

/** An agent asks a server for its configuration before it starts anything. Source: k3s, `pkg/agent/config`, `Get`. */
async function serverAnswers(): Promise<boolean> {
  const ca = await readFile(`${k3sPaths.agent}/server-ca.crt`);
  const call = request({ host: '127.0.0.1', port: loadBalancerPort, path: '/version', ca, timeout: 5_000 });
  const answered = once(call, 'response').then(
    () => true,
    () => false,
  );
  call.on('timeout', () => call.destroy());
  call.on('error', () => undefined);
  call.end();
  const yes = await answered;
  call.destroy();
  return yes;
}

async function untilServer(): Promise<void> {
  while (!(await serverAnswers())) {
    process.stderr.write('Waiting to retrieve agent configuration; server is not ready\n');
    await sleep(1_000);
  }
}

async function runtimeAnswers(): Promise<boolean> {
  const socket = connect(k3sPaths.runtimeSocket);
  const answered = once(socket, 'connect').then(
    () => true,
    () => false,
  );
  const yes = await answered;
  socket.destroy();
  return yes;
}

/** Source: k3s, `pkg/cri`, `WaitForService`. */
async function untilRuntime(runtime: ChildProcess): Promise<void> {
  while (!(await runtimeAnswers())) {
    if (runtime.exitCode !== null) throw new Error('containerd has ended');
    await sleep(100);
  }
}

/** Ends with this process, however that ends. */
function start(argv: readonly [string, ...string[]]): ChildProcess {
  return spawn('/usr/bin/setpriv', ['--pdeathsig', 'KILL', '--', ...argv], { stdio: 'inherit' });
}

async function run(programs: Programs): Promise<void> {
  const servers = JSON.parse(await readFile(k3sPaths.servers, 'utf8')) as ServersFile;
  await serveLoadBalancer(servers);
  await untilServer();
  for (const [path, content] of Object.entries(writtenAtStart())) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content, { mode: 0o600 });
  }
  const { containerd, ...others } = componentsOf(await readConfig(), programs);
  const runtime = start(containerd);
  await untilRuntime(runtime);
  const children = [runtime, ...Object.values(others).map(start)];
  const stop = (): void => {
    for (const child of children) child.kill('SIGTERM');
  };
  process.on('SIGTERM', stop);
  const ends = children.map((child) => once(child, 'exit'));
  await Promise.race(ends);
  stop();
  await Promise.all(ends);
  process.exit(0);
}

const { K3S_PLAYED_KUBELET: kubelet = '', K3S_PLAYED_KUBE_PROXY: kubeProxy = '' } = process.env;
void run({ kubelet, kubeProxy, containerd: '/usr/bin/containerd' });
