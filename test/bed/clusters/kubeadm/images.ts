import { readFile } from 'node:fs/promises';
import { type TarEntry, layerOf, librariesOf } from '@selvedge/hack/image';
import type { Setup } from '@selvedge/hack/setup';
import { type Image, type Recipe, ensureImage } from '../../images/index.ts';
import { pauseImage } from '../../images/pause.ts';
import { type KubeadmImage, imageNames, kubeadmRef } from './versions.ts';

/** Debian's nftables: kube-proxy runs it. */
const nft = '/usr/sbin/nft';

/** What is beside the program: accounts, a place for temporary files. */
const root: readonly TarEntry[] = [
  { kind: 'file', path: 'etc/passwd', content: 'root:x:0:0:root:/root:/sbin/nologin\n' },
  { kind: 'file', path: 'etc/group', content: 'root:x:0:\n' },
  { kind: 'directory', path: 'tmp', mode: 0o1777 },
];

async function nftEntries(signal?: AbortSignal): Promise<readonly TarEntry[]> {
  const content = await readFile(nft);
  return [...(await librariesOf(nft, signal)), { kind: 'file', path: nft.slice(1), content, mode: 0o755 }];
}

/** An image of one static program, whose path in the cache names its content. */
function programImage(name: Exclude<KubeadmImage, 'pause'>, program: string): Recipe {
  // kubeadm's manifests say where each is, except for CoreDNS, of which they say the arguments only.
  const path = name === 'coredns' ? 'coredns' : `usr/local/bin/${name}`;
  const needsNft = name === 'kube-proxy';
  return {
    name: `kubeadm-${name}`,
    ref: kubeadmRef(name),
    inputs: async () => [
      program,
      await readFile(import.meta.filename),
      ...(needsNft ? [await readFile(nft)] : []),
    ],
    content: async (signal) => ({
      ref: kubeadmRef(name),
      config: { Entrypoint: [`/${path}`], Env: ['PATH=/usr/local/bin:/usr/sbin:/usr/bin'] },
      layers: [
        await layerOf([...root, ...(needsNft ? await nftEntries(signal) : [])]),
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
