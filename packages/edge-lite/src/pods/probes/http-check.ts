import { type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { hasCode } from '@selvedge/kit';
import type { HTTPGetAction } from '@selvedge/kube/types';

import { failure, maxOutputBytes, success, type Outcome } from './outcome.ts';
import { hostOf, resolvePort } from './port.ts';
import { hostPort, socketWords } from './socket-words.ts';
import type { ProbeTarget } from './types.ts';

const maxRedirects = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  /** At most `maxOutputBytes` of it. */
  readonly body: string;
}

/** As given, with the kubelet's name unless the probe gives one; an empty `Accept` is left out. */
function headersOf({ httpHeaders = [] }: HTTPGetAction): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {};
  for (const { name, value } of httpHeaders) {
    const key = name.toLowerCase();
    const held = headers[key];
    headers[key] = held === undefined || key === 'host' ? value : [...[held].flat(), value];
  }
  const accept = headers['accept'] ?? '*/*';
  if (accept === '') delete headers['accept'];
  else headers['accept'] = accept;
  return { 'user-agent': 'kube-probe/1.36', ...headers };
}

function readBody(response: IncomingMessage, done: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size < maxOutputBytes) return;
    response.destroy();
    done(Buffer.concat(chunks).subarray(0, maxOutputBytes).toString());
  });
  response.once('end', () => done(Buffer.concat(chunks).toString()));
}

/** One request on a connection of its own, without verification of a certificate, as the kubelet. */
function get(url: URL, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const tls = secure ? { rejectUnauthorized: false, servername: isIP(host) === 0 ? host : '' } : {};
    const request = (secure ? httpsRequest : httpRequest)(url, { headers, signal, agent: false, ...tls });
    const fail = (error: unknown): void => reject(signal.aborted ? signal.reason : error);
    request.on('error', fail);
    request.once('response', (response) => {
      response.on('error', fail);
      readBody(response, (body) => {
        resolve({ status: response.statusCode ?? 0, location: response.headers.location, body });
      });
    });
    request.end();
  });
}

function judge({ status, body }: Answer): Outcome {
  if (status < 200 || status >= 400) return failure(`HTTP probe failed with statuscode: ${status}`);
  if (status < 300) return success;
  return { kind: 'warning', output: `Probe terminated redirects, Response body: ${body}` };
}

interface Start {
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
}

/** Follows redirects that stay on the host. */
async function follow({ url: first, headers }: Start, signal: AbortSignal): Promise<Outcome> {
  let url = first;
  for (let count = 0; count < maxRedirects; count += 1) {
    const answer = await get(url, headers, signal);
    if (!redirects.has(answer.status)) return judge(answer);
    if (answer.location === undefined) {
      return failure(`Get "${url.href}": ${answer.status} response missing Location header`);
    }
    const next = new URL(answer.location, url);
    if (next.hostname !== first.hostname || !next.protocol.startsWith('http')) return judge(answer);
    url = next;
  }
  return failure(`Get "${url.href}": stopped after ${maxRedirects} redirects`);
}

/** Whether a GET is answered with 2xx or 3xx. */
export async function checkHttp(
  action: HTTPGetAction,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<Outcome> {
  const host = hostOf(action.host, target);
  const address = hostPort(host, resolvePort(action.port, target.container));
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const text = `${scheme}://${address}${(action.path ?? '').replace(/^\/?/, '/')}`;
  try {
    return await follow({ url: new URL(text), headers: headersOf(action) }, signal);
  } catch (error) {
    const why = hasCode(error, 'DeadlineExceeded')
      ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
      : socketWords(error, address);
    return failure(`Get "${text}": ${why}`);
  }
}
