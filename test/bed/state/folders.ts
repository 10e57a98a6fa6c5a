import { homedir } from 'node:os';
import { join } from 'node:path';
import { checkBedName } from '../names.ts';

/** Where everything of a bed lies. */
export interface BedFolders {
  readonly root: string;
  readonly description: string;
  /** Records of the daemons. */
  readonly run: string;
  readonly logs: string;
  readonly pki: string;
  /** The control plane's own files: etcd's data, kubeconfigs, the audit log. */
  readonly controlPlane: string;
  /** A kubeconfig of a cluster administrator, complete in itself. */
  readonly kubeconfig: string;
  /** For the daemons, which outlive who started them. */
  readonly temporary: string;
  /** What the routers' proxies do. */
  readonly faults: string;
  node(node: string): NodeFolders;
}

/** The folders of one node. Paths are kept short: a UNIX socket's name holds 107 bytes. */
export interface NodeFolders {
  readonly root: string;
  /** containerd's content: survives a power cut, as a disk does. */
  readonly runtimeRoot: string;
  /** containerd's working state: gone after a power cut, as `/run` is. */
  readonly runtimeState: string;
  readonly runtimeSocket: string;
  readonly runtimeConfig: string;
  readonly cni: string;
  /** Folder of `REGISTRY/hosts.toml`. */
  readonly registries: string;
  /** Addresses handed out by the CNI's host-local. */
  readonly addresses: string;
  readonly kubelet: string;
  readonly podLogs: string;
  readonly resolvConf: string;
  /** The root that edge-lite's paths derive from. */
  readonly lite: string;
}

/** `$XDG_STATE_HOME/selvedge/beds`. Source: XDG Base Directory Specification. */
export function bedsRoot(env: {
  readonly XDG_STATE_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}): string {
  const base = env.XDG_STATE_HOME ?? '';
  return join(base === '' ? join(env.HOME ?? homedir(), '.local/state') : base, 'selvedge/beds');
}

function nodeFolders(root: string): NodeFolders {
  return {
    root,
    runtimeRoot: join(root, 'containerd'),
    runtimeState: join(root, 'run'),
    runtimeSocket: join(root, 'containerd.sock'),
    runtimeConfig: join(root, 'containerd.toml'),
    cni: join(root, 'cni'),
    addresses: join(root, 'ipam'),
    kubelet: join(root, 'kubelet'),
    podLogs: join(root, 'pod-logs'),
    resolvConf: join(root, 'resolv.conf'),
    lite: join(root, 'root'),
    registries: join(root, 'certs.d'),
  };
}

export function bedFolders(beds: string, name: string): BedFolders {
  const root = join(beds, checkBedName(name));
  return {
    root,
    description: join(root, 'bed.json'),
    run: join(root, 'run'),
    logs: join(root, 'logs'),
    pki: join(root, 'pki'),
    controlPlane: join(root, 'control-plane'),
    kubeconfig: join(root, 'kubeconfig'),
    temporary: join(root, 'tmp'),
    faults: join(root, 'faults'),
    node: (node) => nodeFolders(join(root, 'nodes', node)),
  };
}
