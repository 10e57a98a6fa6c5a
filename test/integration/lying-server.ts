import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { endingAtOnce } from '@selvedge/kit/testing';
import type { HubCluster } from './hub-cluster.ts';
import { nodeName } from './hub-cluster.ts';

/** What becomes of the next bytes of every watch. */
export type Lie =
  /** So many of them, then the end of the answer. */
  | { readonly kind: 'truncated'; readonly bytes: number }
  /** This before them. */
  | { readonly kind: 'before'; readonly text: string }
  /** This in their place, then the end. */
  | { readonly kind: 'instead'; readonly text: string };

/** Passes for the API server, as the node, whoever asks; and lies of what happens there when it is told to. */
export interface LyingServer extends AsyncDisposable {
  readonly port: number;
  /** Undefined: the truth. */
  lie: Lie | undefined;
  /** So many were told. */
  readonly told: number;
}

const pass = (chunk: Buffer, to: ServerResponse): void => void to.write(chunk);

const tell: {
  readonly [K in Lie['kind']]: (lie: Extract<Lie, { kind: K }>, chunk: Buffer, to: ServerResponse) => void;
} = {
  truncated: ({ bytes }, chunk, to) => void to.end(chunk.subarray(0, bytes)),
  before({ text }, chunk, to) {
    to.write(text);
    pass(chunk, to);
  },
  instead: ({ text }, _chunk, to) => void to.end(text),
};

function tellOne(lie: Lie, chunk: Buffer, to: ServerResponse): void {
  if (lie.kind === 'truncated') tell.truncated(lie, chunk, to);
  else if (lie.kind === 'before') tell.before(lie, chunk, to);
  else tell.instead(lie, chunk, to);
}

export async function startLyingServer(cluster: HubCluster): Promise<LyingServer> {
  const { ca, port } = cluster.controlPlane;
  const serving = await cluster.issue({
    commonName: 'kube-apiserver',
    addresses: ['127.0.0.1'],
    usages: ['server'],
  });
  const node = await cluster.issue({
    commonName: `system:node:${nodeName}`,
    organizations: ['system:nodes'],
    usages: ['client'],
  });
  const agent = new Agent({ keepAlive: true, ca, cert: node.certificate, key: node.key });
  let lie: Lie | undefined;
  let told = 0;
  const answer = (from: IncomingMessage, to: ServerResponse, isWatch: boolean): void => {
    to.writeHead(from.statusCode ?? 502, from.headers);
    from.on('data', (chunk: Buffer) => {
      if (to.writableEnded) return;
      if (!isWatch || lie === undefined) {
        pass(chunk, to);
        return;
      }
      const next = lie;
      lie = undefined;
      told += 1;
      tellOne(next, chunk, to);
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
  };
  const server = createServer({ cert: serving.certificate, key: serving.key }, (request, response) => {
    const { method, url: path = '/', headers } = request;
    const isWatch = /[?&]watch=(true|1)/.test(path);
    const sent = httpsRequest({
      host: '127.0.0.1',
      port,
      agent,
      method,
      path,
      headers: { ...headers, host: `127.0.0.1:${port}` },
    });
    sent.on('response', (from) => answer(from, response, isWatch));
    sent.on('error', () => response.destroy());
    response.on('error', () => undefined);
    response.on('close', () => sent.destroy());
    request.pipe(sent);
  });
  const end = endingAtOnce(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get lie() {
      return lie;
    },
    set lie(next) {
      lie = next;
    },
    get told() {
      return told;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await end();
    },
  };
}
