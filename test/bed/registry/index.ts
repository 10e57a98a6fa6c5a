export { type Credentials, dockerConfig } from './credentials.ts';
export { type RemoteImage, pullManifest, pushImage } from './push.ts';
export { type RegistryDeps, type RegistryOptions, ensureRegistry, registryHost } from './registry.ts';
