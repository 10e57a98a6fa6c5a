import { request } from 'node:https';
import { SelvedgeError } from '@selvedge/kit';
import type { KeyPair } from '../pki/certificate.ts';

export interface ApiOptions {
  readonly address: string;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  /** Default: none, for what is told to anybody. */
  readonly credentials?: KeyPair;
}

/** GETs of an administrator: what is needed before there is a cluster to speak of. */
export interface Api {
  /** The body of a 200; `NotFound` for a 404, `Unavailable` for anything else. */
  get(path: string, signal: AbortSignal): Promise<string>;
}

function failure(path: string, status: number, body: string): SelvedgeError {
  const code = status === 404 ? 'NotFound' : 'Unavailable';
  return new SelvedgeError(`GET ${path} answered ${status}: ${body.slice(0, 500)}`, { code });
}

export function createApi(options: ApiOptions): Api {
  const { address, port, ca, credentials } = options;
  const pair = credentials === undefined ? {} : { cert: credentials.certificate, key: credentials.key };
  const tls = { ca, ...pair };
  return {
    get: (path, signal) =>
      new Promise((resolve, reject) => {
        const call = request({ host: address, port, path, signal, agent: false, ...tls }, (response) => {
          const chunks: Buffer[] = [];
          response.on('error', reject);
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const body = Buffer.concat(chunks).toString('utf8');
            if (response.statusCode === 200) resolve(body);
            else reject(failure(path, response.statusCode ?? 0, body));
          });
        });
        call.on('error', reject);
        call.end();
      }),
  };
}
