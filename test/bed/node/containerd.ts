import type { ContainerdVersion } from '../description.ts';

/** What containerd is told. All paths are absolute. */
export interface ContainerdConfig {
  readonly version: ContainerdVersion;
  /** Content: survives a power cut. */
  readonly root: string;
  /** Working state: what `/run/containerd` is elsewhere. */
  readonly state: string;
  readonly socket: string;
  readonly runc: string;
  readonly cniBinaries: string;
  readonly cniConfiguration: string;
  /** Folder of `REGISTRY/hosts.toml`. */
  readonly registries: string;
  readonly pauseImage: string;
}

const quote = (text: string): string => JSON.stringify(text);

/** A section with its keys; TOML's strings are JSON's. */
function section(name: string, values: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return [`[${name}]`, ...lines, ''].join('\n');
}

/**
 * What differs in 1.6 (configuration version 2) and 2.4 (version 3): the CRI is one plugin, then two.
 * Source: containerd, docs/cri/config.md of both.
 */
function criSections(config: ContainerdConfig): readonly string[] {
  const runtime = { restrict_oom_score_adj: true, netns_mounts_under_state_dir: true };
  const conf = { conf_dir: config.cniConfiguration };
  const runc = (plugin: string): string[] => {
    const name = `plugins.${quote(plugin)}.containerd.runtimes.runc`;
    return [
      section(name, { runtime_type: 'io.containerd.runc.v2' }),
      section(`${name}.options`, { BinaryName: config.runc, Root: `${config.state}/runc` }),
    ];
  };
  if (config.version === '1.6') {
    const cri = 'io.containerd.grpc.v1.cri';
    const plugin = `plugins.${quote(cri)}`;
    return [
      section(plugin, { ...runtime, sandbox_image: config.pauseImage }),
      section(`${plugin}.cni`, { ...conf, bin_dir: config.cniBinaries }),
      section(`${plugin}.registry`, { config_path: config.registries }),
      ...runc(cri),
    ];
  }
  const cri = 'io.containerd.cri.v1.runtime';
  const images = `plugins.${quote('io.containerd.cri.v1.images')}`;
  return [
    section(`${images}.pinned_images`, { sandbox: config.pauseImage }),
    section(`${images}.registry`, { config_path: config.registries }),
    section(`plugins.${quote(cri)}`, runtime),
    section(`plugins.${quote(cri)}.cni`, { ...conf, bin_dirs: [config.cniBinaries] }),
    ...runc(cri),
  ];
}

/** Folders and sockets outside of `root` and `state` that two daemons of one machine would share. */
function apart(config: ContainerdConfig): readonly string[] {
  const opt = section(`plugins.${quote('io.containerd.internal.v1.opt')}`, { path: `${config.root}/opt` });
  const nri = section(`plugins.${quote('io.containerd.nri.v1.nri')}`, { disable: true });
  return config.version === '1.6' ? [opt] : [opt, nri];
}

/** The text of containerd's `config.toml`. `restrict_oom_score_adj`: the testbed may lack CAP_SYS_RESOURCE. */
export function renderContainerdConfig(config: ContainerdConfig): string {
  const version = config.version === '1.6' ? 2 : 3;
  return [
    `version = ${version}`,
    `root = ${quote(config.root)}`,
    `state = ${quote(config.state)}`,
    '',
    section('grpc', { address: config.socket }),
    ...criSections(config),
    ...apart(config),
  ].join('\n');
}
