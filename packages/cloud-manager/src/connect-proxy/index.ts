export { type ConnectProxy, createConnectProxy } from './connect-proxy.ts';
