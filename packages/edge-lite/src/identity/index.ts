export { createIdentity, type Identity, type IdentityDeps, type IdentityOptions } from './identity.ts';
