import { dirname } from 'node:path';
import type { Clock } from '@selvedge/kit';
import type { BedAssets } from '../assets.ts';
import type { NodeDescription } from '../description.ts';
import type { NodeHost } from '../host/host.ts';
import { type BedNames, processMark } from '../names.ts';
import { removeNamespace } from '../network/apply.ts';
import { ensureContainerd } from '../node/runtime.ts';
import type { NodeFolders } from '../state/folders.ts';
import { createMachine } from './machine.ts';
import type { MachineTools } from './tools.ts';
import type { Machine } from './types.ts';
import { renderUnit } from './unit.ts';

/** Where things are on every machine. */
export const machineFolders: NodeFolders = {
  root: '/etc/selvedge',
  runtimeRoot: '/var/lib/containerd',
  runtimeState: '/run/containerd',
  runtimeSocket: '/run/containerd/containerd.sock',
  runtimeConfig: '/etc/containerd/config.toml',
  cni: '/etc/cni/net.d',
  registries: '/etc/containerd/certs.d',
  // Pods and their addresses end with the power.
  addresses: '/run/cni-addresses',
  kubelet: '/var/lib/kubelet',
  podLogs: '/var/log/pods',
  resolvConf: '/etc/resolv.conf',
  lite: '/',
};

export interface MachineHostOptions {
  readonly node: NodeDescription;
  readonly names: BedNames;
  /** The folder of its disk. */
  readonly folder: string;
  readonly tools: MachineTools;
  readonly assets: BedAssets;
  /** Image archives that the runtime is to hold. */
  readonly images: readonly string[];
}

export interface MachineHostDeps {
  readonly clock: Clock;
  readonly renewNetwork: (signal?: AbortSignal) => Promise<void>;
}

/**
 * The cache, as a whole because it grows, and the folders of files that are elsewhere. A machine has them where the
 * host has them: their paths mean the same on both.
 */
export function sharedFolders(cache: string, files: readonly string[]): Readonly<Record<string, string>> {
  const elsewhere = files.filter((file) => !file.startsWith(`${cache}/`)).map((file) => dirname(file));
  return Object.fromEntries([cache, ...elsewhere].map((folder) => [folder, folder]));
}

/** Makes the program a unit that runs. True unless it ran as this very unit. */
async function ensureUnit(
  machine: Machine,
  daemon: Parameters<NodeHost['ensureDaemon']>[0],
): Promise<boolean> {
  const name = `${daemon.name}.service`;
  const text = renderUnit(daemon);
  const before = await machine.execUnchecked(['cat', `/etc/systemd/system/${name}`]);
  const active = await machine.execUnchecked(['systemctl', 'is-active', name]);
  if (before.stdout === text && active.exitCode === 0) return false;
  await machine.installUnit({ name, text });
  return true;
}

/** A machine with systemd under a node. What makes it a node runs as units, which its boots start too. */
export function createMachineHost(options: MachineHostOptions, deps: MachineHostDeps): NodeHost {
  const { node, names } = options;
  const { base, cache, edgeLite } = options.tools;
  const namespace = names.node(node.name);
  const binaries = Object.values(options.assets).filter((path) => path !== undefined);
  const machine = createMachine(
    {
      name: node.name,
      namespace,
      cgroup: names.nodeCgroup(node.name),
      folder: options.folder,
      base,
      node: edgeLite[0],
      programs: sharedFolders(cache, [...binaries, ...options.images, ...edgeLite]),
      env: { [processMark]: names.mark(`node.${node.name}`) },
    },
    deps,
  );
  const folders = machineFolders;
  const host: NodeHost = {
    name: node.name,
    folders,
    cgroupRoot: '/',
    async start(signal) {
      const booted = !(await machine.isOn());
      await machine.powerOn(signal);
      await ensureContainerd(options, { ...deps, host }, signal);
      return booted;
    },
    ensureDaemon: (daemon) => ensureUnit(machine, daemon),
    async stopDaemon(name) {
      await machine.exec(['systemctl', 'stop', `${name}.service`]);
    },
    async signalDaemon(name, signal) {
      await machine.exec(['systemctl', 'kill', '--kill-whom=main', `--signal=${signal}`, `${name}.service`]);
    },
    // systemd starts it again.
    failure: async () => undefined,
    exec: (argv, signal) => machine.exec(argv, { signal }),
    writeFile: (path, content, mode) => {
      const entry = {
        kind: 'file',
        path: path.slice(1),
        content,
        ...(mode === undefined ? {} : { mode }),
      } as const;
      return machine.writeFiles([entry]);
    },
    async readIfThere(path) {
      const read = await machine.execUnchecked(['cat', '--', path]);
      return read.exitCode === 0 ? read.stdout : undefined;
    },
    async shutDown(signal) {
      await machine.powerOff(signal);
      await removeNamespace(namespace, deps);
    },
    async powerCut() {
      await machine.powerCut();
      await removeNamespace(namespace, deps);
    },
    async destroy() {
      await machine.remove();
      await removeNamespace(namespace, deps);
    },
  };
  return host;
}
