import { readFile } from 'node:fs/promises';
import { connect } from '@selvedge/bed';
import type { Cluster, ClusterMachine } from '@selvedge/bed/clusters';
import { provideArtifacts } from '@selvedge/hack/release';
import { processSetup } from '@selvedge/hack/setup';
import {
  type CloudOptions,
  type CommandContext,
  type ConvertDeps,
  type ConvertResult,
  type Host,
  type HostCommand,
  type Hosts,
  type Progress,
  type RevertResult,
  convert,
  createLocalHost,
  openArtifacts,
  revert,
} from '@selvedge/installer';
import { type CloudPlan, type CloudWork, convertWith, createNodeWork } from '@selvedge/installer/testing';
import { SelvedgeError, scoped, systemClock } from '@selvedge/kit';
import { formatHostPort } from '@selvedge/kit/net';
import type { KubeClient } from '@selvedge/kube';

/** Where the way to a machine is lost: as soon as a command fits, that one and all after it are not carried out. */
export type Loss = (machine: string, command: HostCommand) => boolean;

/** What the installer does, by its library: on machines whose ways can be lost where a test wants it. */
export interface InstallerLibrary extends AsyncDisposable {
  /** The nodes, and the cloud with them. */
  convert(nodes: readonly string[], loss?: Loss): Promise<ConvertResult>;
  /** Without nodes: all of it. */
  revert(nodes?: readonly string[], loss?: Loss): Promise<RevertResult>;
}

const never: Loss = () => false;

/** Programs run in a machine as its root, until the way is lost. */
function hostOf({ name, machine }: ClusterMachine, loss: Loss): Host {
  const local = createLocalHost({ clock: systemClock });
  const way = new AbortController();
  return {
    name,
    async run(command, signal) {
      if (loss(name, command))
        way.abort(new SelvedgeError(`the way to ${name} was lost`, { code: 'Unavailable' }));
      using scope = scoped(signal, way.signal);
      scope.signal.throwIfAborted();
      return await local.run({ ...command, argv: await machine.argv(command.argv) }, scope.signal);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A way that was lost once stays so for the whole run. */
function hostsOf({ machines }: Cluster, loss: Loss): Hosts {
  const hosts = new Map(machines.map((machine) => [machine.name, hostOf(machine, loss)]));
  return {
    async open({ name }) {
      const host = hosts.get(name);
      if (host !== undefined) return host;
      throw new SelvedgeError(`there is no machine ${name}`, { code: 'Unavailable' });
    },
  };
}

/** Says nothing. */
export const quiet: Progress = { task: (_title, work) => work(quiet), note: () => undefined };

function contextOf(): CommandContext {
  const { signal } = new AbortController();
  return {
    progress: quiet,
    agree: async () => true,
    clock: systemClock,
    random: Math.random,
    signal,
    version: '0.0.0',
  };
}

/** The bed has brought a cloud-manager: nothing is to be done in the cloud. */
function cloudOfBed(options: CloudOptions): CloudWork {
  const nothing = { controlPlanes: [], changes: [], adopted: [], parts: [], warnings: [], instructions: [] };
  const tunnel = { servers: options.tunnelServers.map(formatHostPort), ca: undefined };
  const plan: CloudPlan = { mode: 'unit', options, tunnel, ...nothing };
  return {
    plan: async () => plan,
    apply: async () => ({ mode: 'unit', changed: 0, tunnel, instructions: [] }),
  };
}

export async function installerLibrary(cluster: Cluster): Promise<InstallerLibrary> {
  const client: KubeClient = await connect(cluster.kubeconfig, 'selvedge-e2e');
  const folder = await provideArtifacts(processSetup());
  const artifacts = await openArtifacts(folder, { readFile: (path) => readFile(path) });
  const depsOf = (loss: Loss) => ({
    ...contextOf(),
    cluster: client,
    hosts: hostsOf(cluster, loss),
    artifacts,
  });
  const choiceOf = (names: readonly string[]) => ({ nodes: names.map((name) => ({ name })) });
  const tunnelServers = [{ host: new URL(cluster.server).hostname, port: 443 }];
  return {
    convert: (nodes, loss = never) => {
      const cloud: CloudOptions = { tunnelServers, mode: 'auto', dns: true, values: {} };
      const options = { ...choiceOf(nodes), cloud };
      const deps: ConvertDeps = depsOf(loss);
      if (cluster.layout === 'kubeadm') return convert(options, deps);
      return convertWith(options, { ...deps, cloud: cloudOfBed(cloud), nodes: createNodeWork({}, deps) });
    },
    revert: (nodes, loss = never) => revert(nodes === undefined ? {} : choiceOf(nodes), depsOf(loss)),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

const recordOf = ({ stdin }: HostCommand): string => (stdin === undefined ? '' : stdin.toString());

/** The way to a machine is lost when the journal is to say that a step is done: it is, and nobody wrote it down. */
export const lostBeforeWord =
  (machine: string, said: 'did' | 'undid', step: number): Loss =>
  (name, command) =>
    name === machine && recordOf(command).includes(`{"kind":"${said}","step":${step}}`);

/** The way is lost once the journal has said that a step begins: nothing of it is done. */
export function lostAfterWord(machine: string, says: 'doing' | 'undoing', step: number): Loss {
  const word = new RegExp(`\\{"kind":"${says}","step":${step}[,}]`);
  let written = false;
  return (name, command) => {
    if (name !== machine) return false;
    if (written) return true;
    written = word.test(recordOf(command));
    return false;
  };
}
