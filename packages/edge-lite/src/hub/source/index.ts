export { createHubSource, type HubSource, type HubSourceDeps, type HubSourceOptions } from './hub-source.ts';
