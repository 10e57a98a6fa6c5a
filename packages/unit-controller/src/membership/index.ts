export { isReleasing } from './claim.ts';
export { createMembership, type Lost, type Membership } from './membership.ts';
