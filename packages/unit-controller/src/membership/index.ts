export { createMembership, type Lost, type Membership } from './membership.ts';
