export { loadConfig } from './load.ts';
export { paths, type Paths } from './paths.ts';
export type { Config, PodsConfig } from './schema.ts';
