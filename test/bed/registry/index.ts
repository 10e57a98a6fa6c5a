export { dockerConfig } from './credentials.ts';
export { pullManifest, pushImage } from './push.ts';
export { type RegistryOptions, ensureRegistry, registryHost } from './registry.ts';
