import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@selvedge/hack/setup';
import { SelvedgeError } from '@selvedge/kit';
import { busyboxInputs, busyboxLayer, shellEnvironment } from './busybox.ts';
import { type ImageRecipe, imageRefs } from './recipe.ts';
import { type TarEntry, layerOf } from './tar.ts';

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

/** The files that `ldd` resolves a program's libraries to, its loader included. */
export function parseLdd(output: string): readonly string[] {
  const missing = /^\s*(\S+) => not found$/m.exec(output)?.[1];
  if (missing !== undefined) {
    const hint = `apt-get install the package that holds ${missing}`;
    throw new SelvedgeError(`nginx needs ${missing}, which is not there`, { code: 'NotFound', hint });
  }
  const paths = output.split('\n').map((line) => /(?:=> |^\s*)(\/\S+) \(0x/.exec(line)?.[1]);
  return [...new Set(paths.filter((path) => path !== undefined))].toSorted();
}

async function libraries(program: string, signal?: AbortSignal): Promise<readonly TarEntry[]> {
  const paths = parseLdd((await run({ argv: ['ldd', program], signal })).stdout);
  return Promise.all(
    paths.map(async (path) => {
      const content = await readFile(path);
      return { kind: 'file', path: path.slice(1), content, mode: 0o755 } as const;
    }),
  );
}

async function nginxLayer(files: string, signal?: AbortSignal): Promise<Buffer> {
  const program = join(files, 'usr/sbin/nginx');
  return layerOf([
    ...(await libraries(program, signal)),
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
