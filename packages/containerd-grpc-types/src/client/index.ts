export {
  type Http2TransportDeps,
  type Http2TransportOptions,
  createHttp2Transport,
} from './http2-transport.ts';
