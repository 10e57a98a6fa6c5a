import { readFile } from 'node:fs/promises';
import { type TarEntry, layerOf } from '@selvedge/hack/image';
import { run } from '@selvedge/hack/setup';
import { type ImageRecipe, imageRefs } from './recipe.ts';

/** Where Debian's busybox-static puts it. */
const program = '/bin/busybox';

const accounts = {
  passwd: [
    'root:x:0:0:root:/root:/bin/sh',
    'daemon:x:1:1:daemon:/usr/sbin:/bin/false',
    'www-data:x:33:33:www-data:/var/www:/bin/false',
    'nobody:x:65534:65534:nobody:/home:/bin/false',
  ],
  group: ['root:x:0:', 'daemon:x:1:', 'www-data:x:33:', 'nogroup:x:65534:'],
};

const lines = (of: readonly string[]): string => of.map((line) => `${line}\n`).join('');

/** The entries of a busybox root file system; `applets` as `busybox --list-full` prints them (`usr/bin/env`). */
export function busyboxEntries(binary: Uint8Array, applets: readonly string[]): readonly TarEntry[] {
  const links = applets.filter((path) => path !== 'bin/busybox' && path !== 'linuxrc');
  return [
    { kind: 'file', path: 'bin/busybox', content: binary, mode: 0o755 },
    ...links.map((path) => ({ kind: 'symlink', path, target: '/bin/busybox' }) as const),
    { kind: 'file', path: 'etc/passwd', content: lines(accounts.passwd) },
    { kind: 'file', path: 'etc/group', content: lines(accounts.group) },
    ...['dev', 'home', 'proc', 'sys', 'var'].map((path) => ({ kind: 'directory', path }) as const),
    { kind: 'directory', path: 'root', mode: 0o700 },
    { kind: 'directory', path: 'tmp', mode: 0o1777 },
  ];
}

/** The layer under every image that people may want a shell in. */
export async function busyboxLayer(signal?: AbortSignal): Promise<Buffer> {
  const { stdout } = await run({ argv: [program, '--list-full'], signal });
  const applets = stdout.split('\n').filter((line) => line !== '');
  return layerOf(busyboxEntries(await readFile(program), applets));
}

export const shellEnvironment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

export const busyboxInputs = async (): Promise<readonly (string | Uint8Array)[]> => [await readFile(program)];

export const busyboxImage: ImageRecipe = {
  name: 'busybox',
  inputs: busyboxInputs,
  content: async (signal) => ({
    ref: imageRefs.busybox,
    config: { Cmd: ['sh'], Env: shellEnvironment },
    layers: [await busyboxLayer(signal)],
  }),
};
