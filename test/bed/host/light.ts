import { mkdir, rm } from 'node:fs/promises';
import { run } from '@selvedge/hack/setup';
import type { Clock } from '@selvedge/kit';
import type { BedAssets } from '../assets.ts';
import type { NodeDescription } from '../description.ts';
import type { BedNames } from '../names.ts';
import { inNamespace } from '../network/apply.ts';
import { ensureContainerd } from '../node/runtime.ts';
import type { Daemons } from '../process/daemon.ts';
import { readIfThere, writeAtomically } from '../state/files.ts';
import type { NodeFolders } from '../state/folders.ts';
import { createCgroup } from './cgroups.ts';
import { clearNode } from './clear-node.ts';
import type { NodeHost } from './host.ts';

export interface LightHostOptions {
  readonly node: NodeDescription;
  readonly names: BedNames;
  readonly folders: NodeFolders;
  readonly assets: BedAssets;
  /** Image archives that the runtime is to hold. */
  readonly images: readonly string[];
}

export interface LightHostDeps {
  readonly clock: Clock;
  readonly daemons: Daemons;
}

/** How long each program has for an orderly end, in milliseconds. */
const shutdownGraceMs = 10_000;

/** A network namespace, a cgroup subtree and a containerd: a node of the machine's own kernel and files. */
export function createLightHost(options: LightHostOptions, deps: LightHostDeps): NodeHost {
  const { node, names, folders } = options;
  const { clock, daemons } = deps;
  const namespace = names.node(node.name);
  const cgroup = names.nodeCgroup(node.name);
  const mark = names.mark(`node.${node.name}`);
  const daemonName = (name: string): string => `${name}.${node.name}`;
  const powerCut = (): Promise<void> => clearNode({ names, node: node.name, folders }, deps);
  const host: NodeHost = {
    name: node.name,
    folders,
    cgroupRoot: `/${cgroup}`,
    async start(signal) {
      await createCgroup(cgroup);
      for (const folder of [folders.cni, folders.kubelet, folders.podLogs, folders.lite]) {
        await mkdir(folder, { recursive: true });
      }
      await writeAtomically(folders.resolvConf, 'options ndots:0\n');
      await ensureContainerd(options, { clock, host }, signal);
      return false;
    },
    ensureDaemon: (daemon) => daemons.ensure({ ...daemon, name: daemonName(daemon.name), namespace, mark }),
    stopDaemon: (name, graceMs) => daemons.stop(daemonName(name), graceMs),
    signalDaemon: (name, signal) => daemons.signal(daemonName(name), signal),
    failure: (name) => daemons.failure(daemonName(name)),
    exec: (argv, signal) => run({ argv: inNamespace(namespace, argv), signal }),
    writeFile: writeAtomically,
    readIfThere,
    async shutDown() {
      for (const daemon of ['coredns', 'kube-proxy', 'kubelet', 'edge-lite', 'containerd']) {
        await daemons.stop(daemonName(daemon), shutdownGraceMs);
      }
      await powerCut();
    },
    powerCut,
    async destroy() {
      await powerCut();
      await rm(folders.root, { recursive: true, force: true });
    },
  };
  return host;
}
