import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureAssets } from '@selvedge/hack/setup';
import type { Authority } from '../../../bed/pki/certificate.ts';
import { freePort } from '../../../bed/free-port.ts';
import { Processes, type Tunnel, type TunnelMaker, layLine, untilThrough } from './tunnel.ts';

export interface PeerOptions {
  readonly authority: Pick<Authority, 'issue'>;
  /** PEM. */
  readonly ca: string;
  readonly targetPort: number;
  readonly folder: string;
}

/** konnectivity as its documentation sets it up, but for `http-connect` over TCP, and without the log of every packet. */
export async function createKonnectivity(options: PeerOptions): Promise<TunnelMaker> {
  const { authority, ca, targetPort, folder } = options;
  const programs = await ensureAssets({ binaries: ['konnectivity-server', 'konnectivity-agent'] });
  const issued = { addresses: ['127.0.0.1'], usages: ['server', 'client'] } as const;
  const client = await authority.issue({ commonName: 'konnectivity', ...issued });
  const path = (name: string): string => join(folder, `konnectivity.${name}`);
  await writeFile(path('crt'), client.certificate);
  await writeFile(path('key'), client.key, { mode: 0o600 });
  await writeFile(path('ca'), ca);
  const flags = (values: Readonly<Record<string, string | number>>): string[] =>
    Object.entries({ ...values, v: 0 }).map(([name, value]) => `--${name}=${value}`);
  const files = (side: string): Readonly<Record<string, string>> => ({
    [`${side}-cert`]: path('crt'),
    [`${side}-key`]: path('key'),
  });
  const start = async (latencyMs: number): Promise<Tunnel> => {
    await using stack = new AsyncDisposableStack();
    const processes = stack.use(new Processes());
    const [port, agentPort] = [await freePort(), await freePort()];
    const server = flags({
      mode: 'http-connect',
      ...files('server'),
      ...files('cluster'),
      'server-ca-cert': path('ca'),
      'cluster-ca-cert': path('ca'),
      'server-bind-address': '127.0.0.1',
      'server-port': port,
      'agent-bind-address': '127.0.0.1',
      'agent-port': agentPort,
      'admin-port': await freePort(),
      'health-bind-address': '127.0.0.1',
      'health-port': await freePort(),
    });
    const serverChild = processes.start([programs['konnectivity-server'], ...server]);
    const line = await layLine({ port: agentPort, latencyMs, folder }, processes);
    const agent = flags({
      ...files('agent'),
      'ca-cert': path('ca'),
      'proxy-server-host': '127.0.0.1',
      'proxy-server-port': line,
      'admin-server-port': await freePort(),
      'health-server-port': await freePort(),
    });
    const agentChild = processes.start([programs['konnectivity-agent'], ...agent]);
    const entrance = { port, authority: `127.0.0.1:${targetPort}`, ca, client };
    await untilThrough(entrance, 'konnectivity');
    const pids = { server: serverChild.pid ?? 0, agent: agentChild.pid ?? 0 };
    const started = stack.move();
    return { entrance, agentPort, pids, [Symbol.asyncDispose]: () => started.disposeAsync() };
  };
  return { name: 'konnectivity 0.34.0', start };
}
