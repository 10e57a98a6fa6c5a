import type { TLSSocket } from 'node:tls';
import { createMetricsRegistry, systemClock } from '@selvedge/kit';
import { recordingLogger } from '@selvedge/kit/testing';
import {
  createKubeMetrics,
  createTransport,
  type Credentials,
  type HttpRequest,
  type Transport,
  type TransportDeps,
  type TransportOptions,
} from '@selvedge/kube';
import type { Authority } from '../bed/pki/certificate.ts';
import { newTestAuthority, type ServerRequest } from './http-server.ts';

const { signal } = new AbortController();

/** Transports to test servers that one authority vouches for. */
export interface TransportBench {
  readonly authority: Authority;
  /** Credentials of someone unknown who trusts the authority. */
  readonly ca: { readonly certificateAuthority: string };
  transportTo(
    urls: readonly string[],
    options?: Partial<TransportOptions>,
    deps?: Partial<TransportDeps>,
  ): Transport;
  /** Credentials with a certificate of that name. */
  certified(commonName: string, holder: string): Promise<Credentials>;
  closeTransports(): Promise<void>;
}

export async function createTransportBench(): Promise<TransportBench> {
  const authority = await newTestAuthority();
  const ca = { certificateAuthority: authority.keyPair.certificate };
  const transports: Transport[] = [];
  return {
    authority,
    ca,
    transportTo(urls, options = {}, deps = {}) {
      const base = {
        clock: systemClock,
        log: recordingLogger(),
        metrics: createKubeMetrics(createMetricsRegistry()),
      };
      const servers = urls as [string, ...string[]];
      const transport = createTransport({ servers, ...options }, { ...base, ...deps });
      transports.push(transport);
      return transport;
    },
    async certified(commonName, holder) {
      const { certificate, key } = await authority.issue({ commonName, usages: ['client'] });
      return { ...ca, clientCertificate: { certificate, privateKey: key }, holder };
    },
    async closeTransports() {
      await Promise.all(transports.splice(0).map((transport) => transport.close()));
    },
  };
}

export const get = (path: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  path,
  headers: { accept: 'application/json' },
  signal,
  ...more,
});

export async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString('utf8');
}

/** Who the server believes it is talking to: the certificate's name and the token. */
export function whoIs(request: ServerRequest): string {
  const socket = 'stream' in request ? request.stream.session?.socket : request.socket;
  const { subject } = (socket as TLSSocket).getPeerCertificate();
  return `${String(subject?.CN ?? '-')} ${request.headers.authorization ?? '-'}`;
}
