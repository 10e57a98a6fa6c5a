import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { SelvedgeError } from '../errors.ts';
import { raceAbort, withDeadline } from '../scope.ts';
import { broken } from './stream.ts';
import { connectTcp, hostOf, portOf, type SocketServices } from './tcp.ts';
import { secure } from './tls.ts';
import type { DialTimeouts } from './timeouts.ts';

/** An HTTP proxy that opens tunnels. No environment variable is read. Source: RFC 9110 section 9.3.6, `CONNECT`. */
export interface HttpProxy {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string;
  /** Basic credentials, both or neither. They go over the wire as they are, so prefer an `https:` proxy. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** PEM of the authorities that may have signed the certificate of an `https:` proxy. Default: the system's. */
  readonly certificateAuthority?: string | undefined;
}

interface ProxyDeps extends SocketServices {
  readonly clock: Clock;
  readonly timeouts: DialTimeouts;
}

/** A proxy's URL, checked. Throws `Invalid`. */
export function parseProxy({ url: text, username }: HttpProxy): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const bare =
    url !== undefined && url.username === '' && url.pathname === '/' && url.search + url.hash === '';
  if (!bare || !['http:', 'https:'].includes(url.protocol)) {
    throw new SelvedgeError('the proxy is not an http or https URL without path, user or query', {
      code: 'Invalid',
    });
  }
  // RFC 7617: the first colon ends the name.
  if (username?.includes(':') === true)
    throw new SelvedgeError('the user name for the proxy has a colon', { code: 'Invalid' });
  return url;
}

/** `[::1]:6443`, `host:443`: with its port, whatever the scheme. */
const authorityOf = (url: URL): string => `${url.hostname}:${portOf(url)}`;

function authorization({ username, password = '' }: HttpProxy): Record<string, string> {
  if (username === undefined) return {};
  const basic = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
  return { 'proxy-authorization': `Basic ${basic}` };
}

async function openSocket(proxy: HttpProxy, deps: ProxyDeps, signal: AbortSignal): Promise<Socket> {
  const url = parseProxy(proxy);
  const { clock, timeouts } = deps;
  const socket = await connectTcp({ ...deps, url, dialMs: timeouts.dialMs }, clock, signal);
  if (url.protocol === 'http:') return socket;
  const trust = { certificateAuthority: proxy.certificateAuthority };
  const { handshakeMs } = timeouts;
  return secure({ url, handshakeMs, trust, protocols: ['http/1.1'] }, { clock, socket }, signal);
}

/** Asks for the tunnel; what came behind the proxy's answer is put back. */
async function ask(socket: Socket, proxy: HttpProxy, target: URL): Promise<void> {
  const { host, hostname } = new URL(proxy.url);
  const authority = authorityOf(target);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const connecting = request({
    method: 'CONNECT',
    hostname,
    path: authority,
    headers: { host: authority, ...authorization(proxy) },
    createConnection: () => socket,
  });
  connecting.once('connect', (answer, _socket, head) => {
    if (head.length > 0) socket.unshift(head);
    resolve(answer);
  });
  connecting.once('response', resolve);
  connecting.on('error', (error) => reject(broken(host, error)));
  connecting.once('close', () => reject(broken(host)));
  connecting.end();
  const { statusCode = 0, statusMessage = '' } = await promise;
  if (statusCode >= 200 && statusCode < 300) return;
  throw new SelvedgeError(`the proxy ${host} answered ${statusCode} ${statusMessage}`.trim(), {
    code: 'Unavailable',
    ...(statusCode === 407 ? { hint: 'check the credentials for the proxy' } : {}),
    details: { proxyStatus: statusCode },
  });
}

/** A connection to `target` through the proxy. Rejects with what the proxy, the system or the clock says. */
export async function connectThrough(
  { proxy, target }: { readonly proxy: HttpProxy; readonly target: URL },
  deps: ProxyDeps,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = await openSocket(proxy, deps, signal);
  const what = `the answer of the proxy ${hostOf(new URL(proxy.url))}`;
  try {
    await withDeadline({ what, timeoutMs: deps.timeouts.handshakeMs, signal }, deps.clock, (inner) =>
      raceAbort(ask(socket, proxy, target), inner),
    );
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
