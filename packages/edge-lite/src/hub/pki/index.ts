export { createHubPki, type HubPki, type HubPkiDeps, type HubPkiOptions } from './pki.ts';
