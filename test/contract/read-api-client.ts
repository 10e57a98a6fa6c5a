import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { gunzipSync } from 'node:zlib';

export interface ReadRequest {
  /** With its query. */
  readonly path: string;
  readonly accept?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal: AbortSignal;
}

/** An answer whose body comes as the server sends it. */
export interface ReadAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Anything that says that it reads like an API server. */
export interface ReadApi {
  send(request: ReadRequest): Promise<ReadAnswer>;
}

export interface HttpsReadApiOptions {
  /** `https://host:port`. */
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly certificate?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly token?: string | undefined;
}

/** A client that adds nothing of its own: no retries, no unzipping. Closed by its owner. */
export function createHttpsReadApi(options: HttpsReadApiOptions): ReadApi & Disposable {
  const agent = new Agent({
    keepAlive: true,
    ca: options.ca,
    cert: options.certificate,
    key: options.privateKey,
  });
  const authorization = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
  return {
    async send({ path, accept, headers = {}, signal }) {
      const wanted = accept === undefined ? {} : { accept };
      const sent = httpsRequest(new URL(path, options.url), {
        agent,
        signal,
        headers: { ...authorization, ...wanted, ...headers },
      });
      sent.end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return { status: response.statusCode ?? 0, headers: response.headers, body: response };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

export async function bytesOf({ body, headers }: ReadAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
}
