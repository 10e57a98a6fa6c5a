export { loadConfig } from './config.ts';
export { paths, type Paths } from './paths.ts';
export type { Config, HubConfig, PodsConfig, TunnelConfig } from './schema.ts';
