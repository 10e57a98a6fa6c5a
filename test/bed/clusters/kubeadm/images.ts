import { readFile, readdir } from 'node:fs/promises';
import { type TarEntry, layerOf, librariesOf } from '@selvedge/hack/image';
import type { Setup } from '@selvedge/hack/setup';
import { type Image, type Recipe, ensureImage } from '../../images/index.ts';
import { pauseImage } from '../../images/pause.ts';
import { type KubeadmImage, imageNames, kubeadmRef } from './versions.ts';

/** Debian's iptables, of which kube-proxy runs several; they find their matches and targets in a folder. */
const iptables = '/usr/sbin/xtables-nft-multi';
const iptablesNames = ['iptables', 'ip6tables'].flatMap((name) => [name, `${name}-save`, `${name}-restore`]);
const extensions = '/usr/lib/x86_64-linux-gnu/xtables';

/** What is beside the program: accounts, a place for temporary files. */
const root: readonly TarEntry[] = [
  { kind: 'file', path: 'etc/passwd', content: 'root:x:0:0:root:/root:/sbin/nologin\n' },
  { kind: 'file', path: 'etc/group', content: 'root:x:0:\n' },
  { kind: 'directory', path: 'tmp', mode: 0o1777 },
];

async function entryOf(path: string): Promise<TarEntry> {
  return { kind: 'file', path: path.slice(1), content: await readFile(path), mode: 0o755 };
}

async function iptablesEntries(signal?: AbortSignal): Promise<readonly TarEntry[]> {
  const names = await readdir(extensions);
  // The one of the extensions in use that needs more than the program: it is loaded by name.
  const needing = [iptables, `${extensions}/libxt_statistic.so`];
  const libraries = await Promise.all(needing.map((program) => librariesOf(program, signal)));
  return [
    ...new Map(libraries.flat().map((library) => [library.path, library])).values(),
    ...(await Promise.all([iptables, ...names.map((name) => `${extensions}/${name}`)].map(entryOf))),
    ...iptablesNames.map(
      (name) => ({ kind: 'symlink', path: `usr/sbin/${name}`, target: iptables }) as const,
    ),
  ];
}

/** An image of one static program, whose path in the cache names its content. */
function programImage(name: Exclude<KubeadmImage, 'pause'>, program: string): Recipe {
  // kubeadm's manifests say where each is, except for CoreDNS, of which they say the arguments only.
  const path = name === 'coredns' ? 'coredns' : `usr/local/bin/${name}`;
  const isProxy = name === 'kube-proxy';
  return {
    name: `kubeadm-${name}`,
    ref: kubeadmRef(name),
    inputs: async () => [
      program,
      await readFile(import.meta.filename),
      ...(isProxy ? [await readFile(iptables)] : []),
    ],
    content: async (signal) => ({
      ref: kubeadmRef(name),
      config: { Entrypoint: [`/${path}`], Env: ['PATH=/usr/local/bin:/usr/sbin:/usr/bin'] },
      layers: [
        await layerOf([...root, ...(isProxy ? await iptablesEntries(signal) : [])]),
        await layerOf([{ kind: 'file', path, content: await readFile(program), mode: 0o755 }]),
      ],
    }),
  };
}

async function recipeOf(name: KubeadmImage, setup: Setup, signal?: AbortSignal): Promise<Recipe> {
  if (name !== 'pause') return programImage(name, (await setup.assets({ binaries: [name], signal }))[name]);
  const ref = kubeadmRef(name);
  const content: Recipe['content'] = async (within) => ({ ...(await pauseImage.content(within)), ref });
  return { ...pauseImage, name: 'kubeadm-pause', ref, content };
}

/** The images of kubeadm's own, made offline and kept in the cache. */
export async function ensureKubeadmImages(
  role: keyof typeof imageNames,
  setup: Setup,
  signal?: AbortSignal,
): Promise<readonly Image[]> {
  const images: Image[] = [];
  for (const name of imageNames[role])
    images.push(await ensureImage(await recipeOf(name, setup, signal), setup, signal));
  return images;
}
