import { expect, it } from 'vitest';
import type { KubectlNode } from './kubectl-node.ts';
import { fetchHere } from './kubectl-network.ts';
import { pour } from './traffic.ts';
import { podOf, ports } from './tunnel-pods.ts';

/** By what kubectl and the API server speak for `exec`, `attach` and `port-forward`. Source: KEP-4006. */
export const clients = {
  WebSocket: {},
  SPDY: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' },
} as const;

const inputBytes = 2 * 1024 * 1024;

/** The tests of a way to a node that differs from others in little: one of each kind of stream. */
export function itIsReached({ kubectl, node }: Pick<KubectlNode, 'kubectl' | 'node'>): void {
  const tools = podOf(node);

  it('shows logs', async () => {
    expect(await kubectl.run(['logs', tools])).toMatchObject({ exitCode: 0, stdout: 'one\ntwo\n' });
  });

  it('runs commands, with their input and their exit codes', async () => {
    const script = 'sha256sum; exit 7';
    const summing = kubectl.talk(kubectl.argv('exec', '--stdin', tools, '--', 'sh', '-c', script));
    const { sha256 } = await pour(summing.child.stdin, inputBytes);
    expect(await summing.ended).toBe(7);
    expect(summing.said).toContain(sha256);
  });

  it('forwards a port', async () => {
    const port = await kubectl.forward(`pod/${tools}`, ports.web);
    expect(await fetchHere(port, '/hostname')).toBe(tools);
  });
}
