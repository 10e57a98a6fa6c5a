export { type BedRegistry, bedRegistryHost, openBedRegistry } from './bed-registry.ts';
export { trustRegistry } from './hosts.ts';
export { pullManifest, pushImage } from './push.ts';
export { type RegistryOptions, ensureRegistry, registryHost } from './registry.ts';
