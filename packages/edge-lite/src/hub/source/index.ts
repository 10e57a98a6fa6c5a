export { Membership, type MembershipDeps } from './membership.ts';
export { specOfObject } from './words.ts';
export { createHubSource, type HubSource, type HubSourceDeps, type HubSourceOptions } from './hub-source.ts';
