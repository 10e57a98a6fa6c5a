import { hostOf, portOf } from '@selvedge/kit/net';
import { canReach } from '../facts/index.ts';
import { type Host, programFailed } from '../host/index.ts';
import { type RuntimeConfig, parseRuntimeConfig } from './containerd-config.ts';

/** What a machine has for running pods, beside what `NodeFacts` tell. */
export interface RuntimeFacts {
  readonly uid: number;
  /** Undefined: there is no containerd. */
  readonly containerd?: {
    /** `1.6.20`. */
    readonly version: string;
    /** Whether its unit does. */
    readonly runs: boolean;
    readonly config: RuntimeConfig;
    /** The text of its config.toml; undefined if it has none. */
    readonly file?: string;
    /** Containers in the namespace of the CRI. */
    readonly containers: number;
    readonly images: readonly string[];
  };
  /** Names of the CNI plugins that containerd finds. */
  readonly plugins: readonly string[];
  /** Names of CNI configurations. */
  readonly networks: readonly string[];
  /** Folders of those that were asked for that are there. */
  readonly folders: readonly string[];
  /** Directories of edge-lite that exist and are not empty. */
  readonly full: readonly string[];
  readonly manager?: 'apt' | 'dnf';
  readonly iptables: boolean;
  /** Whether the API server's port can be connected to from there; true where the machine cannot tell. */
  readonly reaches: boolean;
}

/** Folders that a node makes, or needs. */
const nodeFolders = [
  '/etc/cni',
  '/etc/cni/net.d',
  '/etc/containerd',
  '/var/lib/cni',
  '/var/lib/containerd',
  '/var/log/pods',
  '/var/log/containers',
  '/etc/selvedge',
  '/var/lib/selvedge',
  '/opt/cni',
  '/opt/containerd',
] as const;

/** What follows a name on a line of its own is what was found of it. Its arguments are folders. */
const script = `
exec 2> /dev/null
export LC_ALL=C
section() { printf '\\n@@ %s\\n' "$1"; }
section uid; id -u
section version; containerd --version
section runs; systemctl is-active --quiet containerd.service && echo yes
section dump; containerd config dump
section file; [ -e /etc/containerd/config.toml ] && cat /etc/containerd/config.toml
section hasfile; [ -e /etc/containerd/config.toml ] && echo yes
section containers; timeout 10 ctr --namespace k8s.io containers list --quiet
section images; timeout 10 ctr --namespace k8s.io images list --quiet
section manager; command -v apt-get || command -v dnf
section iptables; command -v iptables
section folders; for path; do [ -d "$path" ] && echo "$path"; done
section full; for path in /etc/selvedge /var/lib/selvedge; do [ -n "$(ls -A "$path")" ] && echo "$path"; done
exit 0`;

const listScript = `
for folder; do ls -1 "$folder" 2> /dev/null; done
exit 0`;

const lines = (text = ''): readonly string[] => text.split('\n').filter((line) => line !== '');

function sectionsOf(printed: string): ReadonlyMap<string, string> {
  const parts = printed.split(/^@@ (\w+)\n/m).slice(1);
  return new Map(
    parts.flatMap((name, at) =>
      at % 2 === 0 ? [[name, (parts[at + 1] ?? '').replace(/\n$/, '')] as const] : [],
    ),
  );
}

async function printedBy(host: Host, argv: readonly string[], signal: AbortSignal): Promise<string> {
  const result = await host.run({ argv: ['sh', '-c', ...argv] }, signal);
  if (result.exitCode === 0) return result.stdout.toString();
  throw programFailed({ what: 'cannot inspect the container runtime' }, host, result);
}

type Sections = ReadonlyMap<string, string>;

const of = (sections: Sections, name: string): string => (sections.get(name) ?? '').trim();

function containerdOf(sections: Sections): RuntimeFacts['containerd'] {
  const [, version] = /\bv?(\d+\.\d+\.\d+\S*)/.exec(of(sections, 'version')) ?? [];
  if (version === undefined) return undefined;
  return {
    version,
    runs: of(sections, 'runs') === 'yes',
    config: parseRuntimeConfig(of(sections, 'dump')),
    ...(of(sections, 'hasfile') === 'yes' ? { file: sections.get('file') ?? '' } : {}),
    containers: lines(of(sections, 'containers')).length,
    images: lines(of(sections, 'images')),
  };
}

/** Where plugins and configurations are where containerd is not there to say so. */
const standard = {
  plugins: ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'],
  networks: ['/etc/cni/net.d'],
};

const managers = { 'apt-get': 'apt', dnf: 'dnf' } as const;

function managerOf(path: string): RuntimeFacts['manager'] {
  const name = path.split('/').at(-1) ?? '';
  return name === 'apt-get' || name === 'dnf' ? managers[name] : undefined;
}

/** Looks at what a machine has for running pods, and whether it gets to the API server. Changes nothing. */
export async function lookAtRuntime(host: Host, server: URL, signal: AbortSignal): Promise<RuntimeFacts> {
  const sections = sectionsOf(await printedBy(host, [script, 'sh', ...nodeFolders], signal));
  const containerd = containerdOf(sections);
  const manager = managerOf(of(sections, 'manager'));
  const list = async (all: readonly string[]): Promise<readonly string[]> =>
    lines(await printedBy(host, [listScript, 'sh', ...all], signal));
  const { plugins, networks } = standard;
  const networkFolders = containerd === undefined ? networks : [containerd.config.networkFolder];
  return {
    uid: Number(of(sections, 'uid')),
    ...(containerd === undefined ? {} : { containerd }),
    plugins: await list(containerd?.config.pluginFolders ?? plugins),
    networks: (await list(networkFolders)).filter((file) => /\.(conf|conflist|json)$/.test(file)),
    folders: lines(of(sections, 'folders')),
    full: lines(of(sections, 'full')),
    ...(manager === undefined ? {} : { manager }),
    iptables: of(sections, 'iptables') !== '',
    reaches: ['reached', 'not known'].includes(
      await canReach(host, { host: hostOf(server), port: portOf(server) }, signal),
    ),
  };
}
