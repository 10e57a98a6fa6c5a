export { createTunnel, type Tunnel } from './tunnel.ts';
