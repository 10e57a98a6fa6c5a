import { readFile } from 'node:fs/promises';
import type { ImageContent } from './archive.ts';
import { arm64LibrariesOf, librariesOf } from './libraries.ts';
import { type TarEntry, layerOf } from './tar.ts';

export interface ManagerImageOptions {
  /** The one file of the program. */
  readonly bundle: string;
  readonly version: string;
  /** The Node that runs it. Default: the one of this process, which is pinned. */
  readonly node?: string;
  /** Of the Node. Default amd64. */
  readonly architecture?: 'amd64' | 'arm64';
}

/** Nobody in particular, as in other images of this kind. Pods of the chart run as this user. */
const user = 65_532;

const accounts: readonly TarEntry[] = [
  { kind: 'file', path: 'etc/passwd', content: `nonroot:x:${user}:${user}:nonroot:/:/sbin/nologin\n` },
  { kind: 'file', path: 'etc/group', content: `nonroot:x:${user}:\n` },
  { kind: 'directory', path: 'tmp', mode: 0o1777 },
];

/**
 * The image of cloud-manager: Node with the libraries that it needs, and one file; no shell, no package manager. Layers
 * are in the order of how seldom they change. The same Node, libraries and program give the same image.
 */
export async function managerImage({
  bundle,
  version,
  node = process.execPath,
  architecture = 'amd64',
}: ManagerImageOptions): Promise<ImageContent> {
  const program = { kind: 'file', path: 'usr/local/lib/cloud-manager.cjs', content: await readFile(bundle) };
  const runtime = { kind: 'file', path: 'usr/local/bin/node', content: await readFile(node), mode: 0o755 };
  const libraries = architecture === 'arm64' ? await arm64LibrariesOf(node) : await librariesOf(node);
  return {
    architecture,
    ref: `selvedge.io/cloud-manager:${version}`,
    config: {
      Entrypoint: ['/usr/local/bin/node', '/usr/local/lib/cloud-manager.cjs'],
      Env: ['PATH=/usr/local/bin'],
      User: `${user}:${user}`,
      Labels: {
        'org.opencontainers.image.title': 'cloud-manager',
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.licenses': 'Apache-2.0',
      },
    },
    layers: [
      await layerOf([...accounts, ...libraries]),
      await layerOf([{ ...runtime, kind: 'file' }]),
      await layerOf([{ ...program, kind: 'file' }]),
    ],
  };
}
