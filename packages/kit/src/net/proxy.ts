import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { SelvedgeError } from '../errors.ts';
import { askConnect, type ConnectAnswer } from './connect-request.ts';
import { connectTcp, portOf, type SocketServices } from './tcp.ts';
import { secure } from './tls.ts';
import type { DialTimeouts } from './timeouts.ts';

/** Basic credentials, both or neither. They go over the wire as they are, so prefer an `https:` proxy. */
export interface ProxyAccount {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** An HTTP proxy that opens tunnels. No environment variable is read. Source: RFC 9110 section 9.3.6, `CONNECT`. */
export interface HttpProxy extends ProxyAccount {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string;
  /** Asked for each connection, instead of the account above: it may change. A rejection is the connection's. */
  readonly account?: (() => Promise<ProxyAccount>) | undefined;
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

function authorization({ username, password = '' }: ProxyAccount): Record<string, string> {
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

function refusalOf(host: string, { status, reason }: ConnectAnswer): SelvedgeError {
  return new SelvedgeError(`the proxy ${host} answered ${status} ${reason}`.trim(), {
    code: 'Unavailable',
    ...(status === 407 ? { hint: 'check the credentials for the proxy' } : {}),
    details: { proxyStatus: status },
  });
}

/** A connection to `target` through the proxy. Rejects with what the proxy, the system or the clock says. */
export async function connectThrough(
  { proxy, target }: { readonly proxy: HttpProxy; readonly target: URL },
  deps: ProxyDeps,
  signal: AbortSignal,
): Promise<Socket> {
  const headers = authorization(proxy.account === undefined ? proxy : await proxy.account());
  const socket = await openSocket(proxy, deps, signal);
  const { host } = new URL(proxy.url);
  const timeoutMs = deps.timeouts.handshakeMs;
  const asked = { authority: authorityOf(target), headers, timeoutMs };
  try {
    const answer = await askConnect(socket, { ...asked, peer: `the proxy ${host}` }, { ...deps, signal });
    if (answer.status >= 200 && answer.status < 300) return socket;
    throw refusalOf(host, answer);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
