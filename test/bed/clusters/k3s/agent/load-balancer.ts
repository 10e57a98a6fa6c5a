import { createServer, connect } from 'node:net';
import { once } from 'node:events';

/** Where the agent's load balancer listens. Source: k3s, `--lb-server-port`. */
export const loadBalancerPort = 6_444;

/** What the agent keeps of the servers. Source: k3s, `pkg/agent/loadbalancer`. */
export interface ServersFile {
  readonly ServerURL: string;
  readonly ServerAddresses: readonly string[];
}

/** Takes connections to the first of the servers. */
export async function serveLoadBalancer({ ServerAddresses: [first = ''] }: ServersFile): Promise<void> {
  const { hostname: host, port } = new URL(`tcp://${first}`);
  const server = createServer((near) => {
    const far = connect({ host, port: Number(port) });
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  server.listen(loadBalancerPort, '127.0.0.1');
  await once(server, 'listening');
}
