import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { type Socket, isIP } from 'node:net';
import { connect } from 'node:tls';
import { SelvedgeError } from '@selvedge/kit';
import { hostOf } from '@selvedge/kit/net';
import { clusterInfoAt } from './cluster-info.ts';

/** Opens a TCP connection to the server of a URL in another way than directly. */
export type OpenTcp = (url: URL, signal: AbortSignal) => Promise<Socket>;

const maxBytes = 1024 * 1024;

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new SelvedgeError('cluster-info is over 1 MiB', { code: 'ResourceExhausted' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** The only unverified request: its answer is worth nothing before signature and pin are checked. */
const unverified = { rejectUnauthorized: false } as const;

function send(url: URL, socket: Socket | undefined, signal: AbortSignal): Promise<IncomingMessage> {
  const servername = isIP(hostOf(url)) === 0 ? hostOf(url) : '';
  const way =
    socket === undefined
      ? { agent: false, ...unverified }
      : { createConnection: () => connect({ socket, servername, ...unverified }) };
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      ...way,
      headers: { accept: 'application/json' },
      signal,
    });
    sent.on('error', reject);
    sent.on('response', resolve);
    sent.end();
  });
}

export interface UnverifiedGet {
  /** `https://host:port`. */
  readonly server: string;
  /** Default: directly. */
  readonly openTcp?: OpenTcp | undefined;
}

/** What a server that nobody vouches for says. */
export interface UnverifiedClusterInfo {
  /** The ConfigMap, for `verifyClusterInfo`. */
  readonly configMap: unknown;
  /** Its clock, in milliseconds since the epoch and whole seconds; undefined if it did not tell. */
  readonly serverTimeMs: number | undefined;
}

const path = `/api/v1/namespaces/${clusterInfoAt.namespace}/configmaps/${clusterInfoAt.name}`;

function timeOf(header: string | undefined): number | undefined {
  const ms = Date.parse(header ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

/**
 * Reads `kube-public/cluster-info` over TLS without knowing the server. Rejects with `Unavailable` for anything but a
 * 200 with a JSON body.
 */
export async function readClusterInfo(
  { server, openTcp }: UnverifiedGet,
  signal: AbortSignal,
): Promise<UnverifiedClusterInfo> {
  const url = new URL(path, server);
  try {
    const response = await send(url, await openTcp?.(url, signal), signal);
    const text = await readBody(response);
    if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode ?? 0}`);
    return { configMap: JSON.parse(text), serverTimeMs: timeOf(response.headers.date) };
  } catch (cause) {
    signal.throwIfAborted();
    const hint =
      'anonymous users must be able to read kube-public/cluster-info (kubeadm:bootstrap-signer-clusterinfo)';
    const forbidden = cause instanceof Error && /HTTP 40[134]/.test(cause.message);
    throw new SelvedgeError(`cannot read cluster-info from ${url.host}`, {
      code: 'Unavailable',
      cause,
      ...(forbidden ? { hint } : {}),
    });
  }
}
