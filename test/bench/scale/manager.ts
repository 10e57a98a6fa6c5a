import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { PrivateControlPlane } from '../../bed/control-plane/private-control-plane.ts';
import { freePort } from '../../bed/free-port.ts';
import type { KeyPair } from '../../bed/pki/certificate.ts';
import { type TreeUse, useOfTree } from '../process-tree.ts';

export interface ManagerSetup {
  /** Of the server among those that run beside each other, and of its files. */
  readonly name: string;
  /** What is run, up to its own arguments. */
  readonly program: readonly [string, ...string[]];
  readonly controlPlane: PrivateControlPlane;
  /** Of its service account. */
  readonly kubeconfig: string;
  readonly folder: string;
  readonly gracePeriodSeconds: number;
  /** Of its config. Default: none. */
  readonly leaderElection?: object | undefined;
  /** Processors that it may run on, as `taskset` takes them. Default: all. */
  readonly processors?: string | undefined;
}

/** What `/metrics` says. */
export interface MetricsPage {
  /** The sum of all series whose text begins so; 0 if there is none. */
  sum(series: string): number;
}

export interface ManagerUse extends TreeUse {
  /** The most that was resident so far, in MB (10^6 bytes). */
  readonly peakMb: number;
}

/** One cloud-manager, a process of its own, started and ended again and again. */
export interface Manager extends AsyncDisposable {
  /** With another grace period from now on, if that is given. */
  start(gracePeriodSeconds?: number): Promise<void>;
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Rejects while it does not serve. */
  metrics(): Promise<MetricsPage>;
  use(): Promise<ManagerUse>;
  /** What it has written to its log, at `warn` and above. */
  log(): Promise<string>;
}

function metricsPage(page: string): MetricsPage {
  const samples = page
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line, Number(line.slice(line.lastIndexOf(' ') + 1))] as const);
  const isOf = (line: string, series: string): boolean =>
    line.startsWith(series) && (series.includes('{') || /^[{ ]/.test(line.slice(series.length)));
  return {
    sum: (series) =>
      samples.filter(([line]) => isOf(line, series)).reduce((total, [, value]) => total + value, 0),
  };
}

interface Files {
  readonly config: string;
  readonly log: string;
}

interface Parts {
  readonly files: Files;
  readonly port: number;
  readonly identity: KeyPair;
  readonly config: object;
}

class Process implements Manager {
  readonly #setup: ManagerSetup;
  readonly #files: Files;
  readonly #port: number;
  readonly #identity: KeyPair;
  readonly #config: object;
  #gracePeriodSeconds: number;
  #child: ChildProcess | undefined;

  constructor(setup: ManagerSetup, parts: Parts) {
    this.#setup = setup;
    this.#files = parts.files;
    this.#port = parts.port;
    this.#identity = parts.identity;
    this.#config = parts.config;
    this.#gracePeriodSeconds = setup.gracePeriodSeconds;
  }

  async start(gracePeriodSeconds = this.#gracePeriodSeconds): Promise<void> {
    const { program, processors } = this.#setup;
    this.#gracePeriodSeconds = gracePeriodSeconds;
    const config = { ...this.#config, autonomy: { gracePeriodSeconds } };
    await writeFile(this.#files.config, JSON.stringify(config));
    const pinned = ['taskset', '--cpu-list', processors ?? '', ...program] as const;
    const [file, ...rest] = processors === undefined ? program : pinned;
    const args = [...rest, 'run', '--config', this.#files.config];
    await using log = await open(this.#files.log, 'a');
    this.#child = spawn(file, args, { stdio: ['ignore', log.fd, log.fd] });
    await once(this.#child, 'spawn');
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || (child.exitCode ?? child.signalCode) !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  async metrics(): Promise<MetricsPage> {
    const { exitCode = null, signalCode = null } = this.#child ?? {};
    if ((exitCode ?? signalCode) !== null) {
      throw new Error(`cloud-manager ended with ${exitCode ?? signalCode}: ${await this.log()}`);
    }
    const { certificate: cert, key } = this.#identity;
    const { ca } = this.#setup.controlPlane;
    const options = { host: '127.0.0.1', port: this.#port, path: '/metrics', ca, cert, key, agent: false };
    const sent = request(options).end();
    const [answer] = (await once(sent, 'response')) as [Parameters<typeof text>[0] & { statusCode: number }];
    const body = await text(answer);
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${body}`);
    return metricsPage(body);
  }

  async use(): Promise<ManagerUse> {
    const pid = this.#child?.pid ?? 0;
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const peakMb = (Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6;
    return { ...(await useOfTree(pid)), peakMb };
  }

  log(): Promise<string> {
    return readFile(this.#files.log, 'utf8');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop('SIGKILL');
  }
}

export async function prepareManager(setup: ManagerSetup): Promise<Manager> {
  const { name, controlPlane, kubeconfig, folder, leaderElection } = setup;
  const path = (suffix: string): string => join(folder, `${name}.${suffix}`);
  const serving = await controlPlane.issue({ commonName: 'cloud-manager', addresses: ['127.0.0.1'] });
  const identity = await controlPlane.issue({
    commonName: 'bench-scraper',
    organizations: ['system:masters'],
    usages: ['client'],
  });
  await writeFile(path('crt'), serving.certificate);
  await writeFile(path('key'), serving.key, { mode: 0o600 });
  await writeFile(path('ca'), controlPlane.ca);
  await writeFile(path('kubeconfig'), kubeconfig, { mode: 0o600 });
  const port = await freePort();
  const pair = { certificateFile: path('crt'), keyFile: path('key') };
  const config = {
    apiVersion: 'cloud-manager.selvedge.io/v1alpha1',
    kind: 'Config',
    serverName: name,
    cluster: { kubeconfig: path('kubeconfig') },
    tunnel: { listen: ['127.0.0.1:0'], ...pair, clientCaFile: path('ca') },
    health: { listen: `127.0.0.1:${port}`, ...pair },
    leaderElection,
    log: { level: 'warn' },
  };
  const files = { config: path('yaml'), log: path('log') };
  return new Process(setup, { files, port, identity, config });
}
