export { createLocalClient, type LocalClientDeps, type LocalClientOptions } from './local-client.ts';
