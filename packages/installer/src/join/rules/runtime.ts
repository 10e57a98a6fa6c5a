import { enableCri } from '../containerd-config.ts';
import { type Rules, type Sight, type Told, error } from '../rule.ts';
import type { RuntimeFacts } from '../runtime-facts.ts';
import type { JoinOptions } from '../types.ts';

const neededPlugins = ['bridge', 'host-local', 'loopback', 'portmap'] as const;

function containersOf({ runtime }: Sight): Told | undefined {
  const count = runtime.containerd?.containers ?? 0;
  if (count === 0) return undefined;
  return error(
    `containerd has ${count} containers in the namespace k8s.io`,
    'they belong to another agent, and a node kills pods that are not assigned to it',
    'list them with ctr --namespace k8s.io containers list, and remove what an earlier node left behind',
  );
}

/** What has to be installed, for people. */
export function missingParts(runtime: RuntimeFacts, network: JoinOptions['network']): readonly string[] {
  const plugins = network === 'none' ? ['loopback'] : neededPlugins;
  const bridges = network !== 'none' && runtime.networks.length === 0;
  return [
    ...(runtime.containerd === undefined ? ['containerd'] : []),
    ...(plugins.some((name) => !runtime.plugins.includes(name)) ? ['CNI plugins'] : []),
    ...(bridges && !runtime.iptables ? ['iptables'] : []),
  ];
}

function runtimeOf({ runtime, archives }: Sight, { network }: JoinOptions): Told | undefined {
  const { containerd, manager } = runtime;
  if (containerd !== undefined && !/^(1\.([6-9]|\d\d)|[2-9])\./.test(containerd.version)) {
    return error(
      `containerd is ${containerd.version}`,
      'CRI v1 needs containerd 1.6',
      'install a newer version',
    );
  }
  const lacks = missingParts(runtime, network);
  if (lacks.length === 0 || manager !== undefined || archives > 0) return undefined;
  return error(
    `${lacks.join(' and ')} missing`,
    'pods need containerd and CNI plugins, and there is neither apt-get nor dnf to install them',
    'install them with the tools of the distribution, then run the same command again',
  );
}

function criOf({ runtime: { containerd } }: Sight): Told | undefined {
  if (containerd === undefined || containerd.config.servesCri) return undefined;
  if (containerd.file !== undefined && enableCri(containerd.file) !== undefined) return undefined;
  return error(
    'the CRI plugin of containerd is disabled, but not in config.toml itself',
    'edge-lite runs pods through the CRI',
    'remove it from disabled_plugins in a file that config.toml imports; containerd config dump shows the merged configuration',
  );
}

/** About what runs pods. */
export const runtimeRules: Rules = {
  'join-containers': containersOf,
  'join-runtime': runtimeOf,
  'join-cri': criOf,
};
