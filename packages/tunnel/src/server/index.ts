export { createTunnelServer } from './server.ts';
export type {
  Entry,
  Identity,
  ListenAddress,
  OpenRequest,
  ServiceDial,
  SessionChange,
  TunnelServer,
  TunnelServerDeps,
  TunnelServerLimits,
  TunnelServerOptions,
} from './types.ts';
