export { breakOff, resetAllBy, resetBy } from './break-off.ts';
export { askConnect, type ConnectAnswer, type ConnectRequest } from './connect-request.ts';
export {
  dial,
  dialBytes,
  dialTcp,
  type DialOptions,
  type DialTarget,
  type Dialled,
  type OpenBytes,
} from './dial.ts';
export { formatHostPort, parseHostPort, type HostPort } from './host-port.ts';
export { createIpRanges, isIpRange, isLoopback, isOfNoHost } from './ip-ranges.ts';
export { createLookup, type LookupDeps, type LookupOptions } from './lookup.ts';
export { createMeter, type Meter, type Traffic } from './meter.ts';
export { plainHost } from './plain-host.ts';
export { parseProxy, type HttpProxy, type ProxyAccount } from './proxy.ts';
export { relay } from './relay.ts';
export { broken, destroyOnAbort, refused } from './stream.ts';
export { connectTcp, hostOf, portOf, type SocketServices, type TcpOptions } from './tcp.ts';
export type { DialTimeouts } from './timeouts.ts';
export { secure, type TlsOptions, type TlsTrust } from './tls.ts';
export { watchLink, type LinkPulse, type WatchLinkOptions } from './watch-link.ts';
