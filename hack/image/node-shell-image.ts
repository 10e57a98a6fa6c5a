import { readFile } from 'node:fs/promises';
import type { ImageContent } from './archive.ts';
import { type TarEntry, layerOf } from './tar.ts';

export interface NodeShellImageOptions {
  /** A static busybox for that architecture, such as Debian's `busybox-static`. */
  readonly busybox: string;
  readonly version: string;
  /** Default amd64. */
  readonly architecture?: 'amd64' | 'arm64';
}

/** What the installer runs in the containers of its Jobs; all else it finds on the machines that it enters. */
const applets = ['cat', 'head', 'mkdir', 'mv', 'nsenter', 'rm', 'setsid', 'sh', 'sleep', 'wc'] as const;

/** The image of the installer's Jobs. The same busybox gives the same image. */
export async function nodeShellImage({
  busybox,
  version,
  architecture = 'amd64',
}: NodeShellImageOptions): Promise<ImageContent> {
  const program: TarEntry = {
    kind: 'file',
    path: 'bin/busybox',
    content: await readFile(busybox),
    mode: 0o755,
  };
  const links = applets.map(
    (name): TarEntry => ({ kind: 'symlink', path: `bin/${name}`, target: 'busybox' }),
  );
  return {
    architecture,
    ref: `selvedge.io/node-shell:${version}`,
    config: {
      Cmd: ['sleep', 'infinity'],
      Env: ['PATH=/bin'],
      Labels: {
        'org.opencontainers.image.title': 'node-shell',
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.licenses': 'GPL-2.0-only',
      },
    },
    layers: [await layerOf([program, ...links])],
  };
}
