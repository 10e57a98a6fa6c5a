export { loadConfig } from './load.ts';
export { paths, type Paths } from './paths.ts';
export type { Config, HubConfig, PodsConfig } from './schema.ts';
