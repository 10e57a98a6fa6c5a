export { dial, dialTcp, type DialOptions, type DialTarget, type Dialled } from './dial.ts';
export { createLookup, type LookupDeps, type LookupOptions } from './lookup.ts';
export { createMeter, type Meter, type Traffic } from './meter.ts';
export { parseProxy, type HttpProxy } from './proxy.ts';
export { broken, destroyOnAbort, refused } from './stream.ts';
export { connectTcp, hostOf, portOf, type SocketServices, type TcpOptions } from './tcp.ts';
export type { DialTimeouts } from './timeouts.ts';
export { secure, type TlsOptions, type TlsTrust } from './tls.ts';
export { watchLink, type LinkPulse, type WatchLinkOptions } from './watch-link.ts';
