import type { TextChange } from '../steps/index.ts';

/** What containerd is told, as far as a node depends on it. */
export interface RuntimeConfig {
  /** False: it serves no CRI. */
  readonly servesCri: boolean;
  /** Absolute path. */
  readonly socket: string;
  readonly sandboxImage: string;
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  /** Where it looks for CNI plugins. */
  readonly pluginFolders: readonly string[];
  /** Where it looks for CNI configurations. */
  readonly networkFolder: string;
}

/** What the CRI plugin was and is called, in `disabled_plugins`. Source: containerd, docs/PLUGINS.md. */
const criNames = [
  'cri',
  'io.containerd.grpc.v1.cri',
  'io.containerd.cri.v1.runtime',
  'io.containerd.cri.v1.images',
];

const word = /"([^"]*)"|'([^']*)'/g;
const wordsIn = (value: string): readonly string[] =>
  Array.from(value.matchAll(word), ([, double, single]) => double ?? single ?? '');

type Values = ReadonlyMap<string, string>;

/** Keys with their sections in front, as `containerd config dump` prints them, one a line; values as they stand. */
function valuesOf(dump: string): Values {
  const values = new Map<string, string>();
  let section = '';
  for (const line of dump.split('\n')) {
    const [, header] = /^\s*\[([^[\]]+)\]\s*$/.exec(line) ?? [];
    if (header !== undefined) section = `${header.replaceAll(/["']/g, '')}.`;
    const [, key, value] = /^\s*([\w-]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(section + key, value);
  }
  return values;
}

/** Version 3 of the configuration has the CRI as two plugins. Source: containerd, docs/cri/config.md. */
const places = {
  old: {
    cri: 'plugins.io.containerd.grpc.v1.cri',
    sandbox: 'plugins.io.containerd.grpc.v1.cri.sandbox_image',
  },
  new: {
    cri: 'plugins.io.containerd.cri.v1.runtime',
    sandbox: 'plugins.io.containerd.cri.v1.images.pinned_images.sandbox',
  },
} as const;

/** Reads what `containerd config dump` printed: the file and the defaults. Pure. */
export function parseRuntimeConfig(dump: string): RuntimeConfig {
  const values = valuesOf(dump);
  const words = (key: string): readonly string[] => wordsIn(values.get(key) ?? '');
  const { cri, sandbox } = /^\s*version\s*=\s*[12]\b/m.test(dump) ? places.old : places.new;
  const disabled = words('disabled_plugins');
  const systemd = values.get(`${cri}.containerd.runtimes.runc.options.SystemdCgroup`) === 'true';
  return {
    servesCri: !disabled.some((name) => criNames.includes(name)),
    socket: words('grpc.address')[0] ?? '/run/containerd/containerd.sock',
    sandboxImage: words(sandbox)[0] ?? '',
    cgroupDriver: systemd ? 'systemd' : 'cgroupfs',
    pluginFolders: [...words(`${cri}.cni.bin_dirs`), ...words(`${cri}.cni.bin_dir`)].filter(
      (one) => one !== '',
    ),
    networkFolder: words(`${cri}.cni.conf_dir`)[0] ?? '/etc/cni/net.d',
  };
}

/**
 * The smallest edit of a config.toml after which containerd serves the CRI, which Docker's package switches off.
 * Undefined if the file does not say so. Pure.
 */
export function enableCri(text: string): TextChange | undefined {
  const found = /^[ \t]*disabled_plugins[ \t]*=[ \t]*(\[[^\]]*\])/m.exec(text);
  const [whole, list] = found ?? [];
  if (found === null || whole === undefined || list === undefined) return undefined;
  const names = wordsIn(list);
  const kept = names.filter((name) => !criNames.includes(name));
  if (kept.length === names.length) return undefined;
  const at = found.index + whole.length - list.length;
  return { at, old: list, new: `[${kept.map((name) => JSON.stringify(name)).join(', ')}]` };
}
