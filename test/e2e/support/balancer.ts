import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Bed } from '@selvedge/bed';
import { ensureAssets } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { newAuthority, openAuthority } from '../../bed/pki/certificate.ts';

/** The name in cloud-manager's certificate: TLS that asks for it is passed through as it is. */
export const tunnelName = 'tunnel.selvedge.test';
/** The name for which the balancer ends TLS. */
export const webName = 'edge.selvedge.test';

/** A real load balancer in the cloud, with one port for both carriers. It ends with the bed. */
export interface Balancer {
  readonly address: string;
  /** Of the authority that has signed its certificate, which is not the cluster's. PEM. */
  readonly caFile: string;
}

interface Places {
  readonly folder: string;
  readonly modules: string;
  /** Where it listens. */
  readonly address: string;
  /** cloud-manager. */
  readonly server: string;
  readonly clusterCaFile: string;
}

const shipped = join(import.meta.dirname, '../../../deploy/nginx/tunnel.conf');

/** The configuration that we ship with the names and places of here, and what nginx needs to run beside others. */
async function configuration(places: Places): Promise<string> {
  const { folder, modules, address, server, clusterCaFile } = places;
  const ours = (await readFile(shipped, 'utf8'))
    .replaceAll('tunnel.example.com', tunnelName)
    .replaceAll('edge.example.com', webName)
    .replaceAll('10.0.0.5', server)
    .replaceAll('listen 443', `listen ${address}:443`)
    .replaceAll('/etc/nginx/cluster-ca.crt', clusterCaFile)
    .replaceAll('/etc/nginx/edge', `${folder}/edge`)
    .replaceAll('/run/edge.sock', `${folder}/edge.sock`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const own = [
    `access_log ${folder}/access.log;`,
    ...temporary.map((name) => `${name}_temp_path ${folder}/${name};`),
  ];
  const top = [
    `load_module ${modules}/ngx_stream_module.so;`,
    'user root;',
    `pid ${folder}/nginx.pid;`,
    `error_log ${folder}/error.log info;`,
    'events {}',
  ];
  return `${top.join('\n')}\n${ours.replace('http {', `http {\n${own.join('\n')}`)}`;
}

/** Starts Debian's nginx in the cloud, on an address of its own, in front of cloud-manager. */
export async function startBalancer(bed: Bed): Promise<Balancer> {
  const { nginx } = await ensureAssets({ binaries: ['nginx'] });
  const server = new URL(bed.server).hostname;
  const address = server.replace(/\.1$/, '.2');
  const folder = await mkdtemp(join(tmpdir(), 'balancer-'));
  const authority = await openAuthority(
    await newAuthority('authority of the balancer', systemClock.now()),
    systemClock,
  );
  const { certificate, key } = await authority.issue({ commonName: webName, dnsNames: [webName] });
  const file = (name: string): string => join(folder, name);
  await writeFile(file('edge.crt'), certificate);
  await writeFile(file('edge.key'), key, { mode: 0o600 });
  await writeFile(file('ca.crt'), authority.keyPair.certificate);
  const modules = join(dirname(nginx), '../lib/nginx/modules');
  const clusterCaFile = join(bed.logs, '../pki/ca.crt');
  const config = await configuration({ folder, modules, address, server, clusterCaFile });
  await writeFile(file('nginx.conf'), config);
  await bed.exec('cloud', ['ip', 'address', 'add', `${address}/24`, 'dev', 'wan']);
  await bed.exec('cloud', [nginx, '-e', file('error.log'), '-c', file('nginx.conf')]);
  return { address, caFile: file('ca.crt') };
}
