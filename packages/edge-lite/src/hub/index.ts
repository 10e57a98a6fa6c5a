export { createHub, type Hub, type HubDeps, type HubOptions } from './hub.ts';
