import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { type Cluster, createEdgeNode, startCluster, tokenText } from './edge-world.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const signal = new AbortController().signal;
const clientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';
/** The request as text; names are in it as they are. */
const subjectOf = (request: string): string => {
  const pem = Buffer.from(request, 'base64').toString();
  return Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64').toString('latin1');
};
const messageOf = (line: Readonly<Record<string, unknown>> | undefined): unknown =>
  (line?.['error'] as { readonly message?: string } | undefined)?.message;

describe.concurrent('identity', () => {
  test('a node joins by token, and needs none when it starts again', async () => {
    await using node = await createEdgeNode(cluster, 'joins');
    await node.writeToken(tokenText(await cluster.createToken()));
    const first = await node.start();
    await first.line('synced');
    await waitFor({ what: 'the Node' }, systemClock, () => node.node());
    expect((await stat(join(node.pki, 'client.pem'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(node.pki, 'seal.key'))).mode & 0o777).toBe(0o600);
    // Nobody here approves what it asks for to serve with.
    const files = (await readdir(node.pki)).filter((file) => !file.startsWith('serving-'));
    expect(files).toEqual(['ca.crt', 'client.pem', 'hub-ca.crt', 'hub-ca.pem', 'seal.key']);
    first.signal('SIGTERM');
    expect(await first.exited).toBe(0);
    await node.writeToken('nothing');
    const second = await node.start();
    await second.line('synced');
    const requested = second.lines.filter((line) => line.text === 'certificate requested');
    expect(requested.map((line) => line['signer'])).not.toContain(clientSigner);
  });

  describe.concurrent('a token that does not open the cluster ends the program with code 3', () => {
    test('a wrong secret', async () => {
      await using node = await createEdgeNode(cluster, 'wrong-secret');
      const { id } = await cluster.createToken();
      await node.writeToken(`${id}.0123456789abcdef`);
      const run = await node.start();
      expect(await run.exited).toBe(3);
      expect(messageOf(await run.line('program failed'))).toContain('is not signed by the secret');
    });

    test('an unknown one, after a while', async () => {
      await using node = await createEdgeNode(cluster, 'unknown-token');
      await node.writeToken('zzzzzz.0123456789abcdef');
      const run = await node.start();
      expect(await run.exited).toBe(3);
      expect(messageOf(await run.line('program failed'))).toContain('does not know bootstrap token');
    });

    test('one that was revoked after its signature was seen', async () => {
      await using node = await createEdgeNode(cluster, 'revoked');
      const token = await cluster.createToken();
      await node.writeToken(tokenText(token));
      const at = { namespace: 'kube-system', name: `bootstrap-token-${token.id}` };
      await cluster.admin.delete(resources.secrets, at, { signal });
      const run = await node.start();
      expect(await run.exited).toBe(3);
      expect(messageOf(await run.line('program failed'))).toMatch(/not accepted|does not know/);
    });

    test('one that has expired', async () => {
      await using node = await createEdgeNode(cluster, 'expired');
      await node.writeToken(tokenText(await cluster.createToken(-1_000)));
      const run = await node.start();
      expect(await run.exited).toBe(3);
    });
  });

  test('another CA than the pinned one ends the program with code 3', async () => {
    await using node = await createEdgeNode(cluster, 'pinned');
    await node.writeToken(tokenText(await cluster.createToken()));
    const server = {
      urls: [cluster.url],
      caHash: `sha256:${'0'.repeat(64)}`,
      tokenFile: join(node.root, 'token'),
    };
    const run = await node.start({ server });
    expect(await run.exited).toBe(3);
    expect(messageOf(await run.line('program failed'))).toContain('is not the pinned one');
  });

  test('killed at any moment of joining, the next start joins', async () => {
    await using node = await createEdgeNode(cluster, 'killed');
    await node.writeToken(tokenText(await cluster.createToken()));
    // A start that was killed late may have got everything already.
    for (const text of [/starting/, /CA verified|loaded/, /certificate request|loaded/, /identity loaded/]) {
      const run = await node.start();
      await run.line(text);
      run.signal('SIGKILL');
      await run.exited;
    }
    const last = await node.start();
    await last.line('synced');
    const { items } = await cluster.admin.listAll(resources.certificateSigningRequests, { signal });
    const asked = items
      .filter(({ spec }) => spec.signerName === clientSigner)
      .filter(({ spec }) => subjectOf(spec.request).includes('system:node:killed'));
    expect(asked).toHaveLength(1);
  });

  test('a config that is wrong ends the program with code 2 and names line and field', async () => {
    await using node = await createEdgeNode(cluster, 'config');
    const run = await node.start({ nodeName: 'Not_A_Name', colour: 'green' });
    expect(await run.exited).toBe(2);
    expect(run.output.join('\n')).toMatch(/line 4: nodeName: expected .*line \d+: colour: unknown field/);
  });

  test('state that another agent has open ends the program with code 4 and says what to do', async () => {
    await using node = await createEdgeNode(cluster, 'state');
    await node.writeToken(tokenText(await cluster.createToken()));
    const first = await node.start();
    await first.line('synced');
    const second = await node.start();
    expect(await second.exited).toBe(4);
    expect(second.output.join('\n')).toContain('state unusable');
  });
});
