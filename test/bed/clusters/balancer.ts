import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { apiServerPort, cloudAddresses } from '../addresses.ts';
import type { BedContext } from '../context.ts';
import type { BedDescription } from '../description.ts';
import { writeAtomically } from '../state/files.ts';
import type { ClusterMachine } from './types.ts';

/** Beside the API server on the first machine of the control plane: kubeadm's own pages put it at this port. */
export const balancerPort = 8_443;

interface BalancerOptions {
  /** Where what it writes is. */
  readonly folder: string;
  /** Of nginx' modules. */
  readonly modules: string;
  /** Where it listens: `10.60.0.1`. */
  readonly address: string;
  /** Addresses of machines with an API server. */
  readonly servers: readonly string[];
}

/** Leads each connection to the next of the API servers, and to another one if that does not take it. Pure. */
export const balancerConfig = ({ folder, modules, address, servers }: BalancerOptions): string => `\
load_module ${modules}/ngx_stream_module.so;
daemon off;
user root;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr notice;
events {}
stream {
  upstream api {
${servers.map((server) => `    server ${server}:${apiServerPort} max_fails=0;`).join('\n')}
  }
  server {
    listen ${address}:${balancerPort};
    proxy_connect_timeout 2s;
    proxy_timeout 1h;
    proxy_pass api;
  }
}
`;

/** Makes Debian's nginx run in the cloud, in front of all API servers. It ends with the cluster. */
export async function startBalancer(
  { setup, folders, names, daemons }: Pick<BedContext, 'setup' | 'folders' | 'names' | 'daemons'>,
  { index }: Pick<BedDescription, 'index'>,
  controlPlanes: readonly ClusterMachine[],
): Promise<void> {
  const { nginx } = await setup.assets({ binaries: ['nginx'] });
  const folder = join(folders.root, 'balancer');
  const config = balancerConfig({
    folder,
    modules: join(dirname(nginx), '../lib/nginx/modules'),
    address: cloudAddresses(index).cloud,
    servers: controlPlanes.map(({ address }) => address),
  });
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'nginx.conf');
  await writeAtomically(file, config);
  const argv = [nginx, '-e', 'stderr', '-c', file] as const;
  await daemons.ensure({ name: 'balancer', argv, namespace: names.cloud, mark: names.mark('cloud'), config });
}
