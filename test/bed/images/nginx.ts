import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { layerOf, librariesOf } from '@selvedge/hack/image';
import { busyboxInputs, busyboxLayer, shellEnvironment } from './busybox.ts';
import { type ImageRecipe, imageRefs } from './recipe.ts';

/** Debian's packages, unpacked; see `debianFiles`. */
export const nginxPackages = ['nginx', 'nginx-common'];

const configuration = `user www-data;
worker_processes 1;
daemon off;
pid /run/nginx.pid;
error_log /dev/stderr;
events {}
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /dev/stdout;
  server {
    listen 80;
    root /usr/share/nginx/html;
  }
}
`;

const page = '<!doctype html>\n<title>Welcome to nginx!</title>\n<h1>Welcome to nginx!</h1>\n';

async function nginxLayer(files: string, signal?: AbortSignal): Promise<Buffer> {
  const program = join(files, 'usr/sbin/nginx');
  return layerOf([
    ...(await librariesOf(program, signal)),
    { kind: 'file', path: 'usr/sbin/nginx', content: await readFile(program), mode: 0o755 },
    {
      kind: 'file',
      path: 'etc/nginx/mime.types',
      content: await readFile(join(files, 'etc/nginx/mime.types')),
    },
    { kind: 'file', path: 'etc/nginx/nginx.conf', content: configuration },
    { kind: 'file', path: 'usr/share/nginx/html/index.html', content: page },
    ...['run', 'var/lib/nginx', 'var/log/nginx'].map((path) => ({ kind: 'directory', path }) as const),
  ]);
}

/** Debian's nginx with the shared libraries it needs, on a busybox root. `files` holds the unpacked packages. */
export function nginxImage(files: string): ImageRecipe {
  return {
    name: 'nginx',
    inputs: async () => [files, configuration, page, ...(await busyboxInputs())],
    content: async (signal) => ({
      ref: imageRefs.nginx,
      config: {
        Cmd: ['nginx'],
        Env: shellEnvironment,
        StopSignal: 'SIGQUIT',
        ExposedPorts: { '80/tcp': {} },
      },
      layers: [await busyboxLayer(signal), await nginxLayer(files, signal)],
    }),
  };
}
