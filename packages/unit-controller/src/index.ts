export { createMembership } from './membership/index.ts';
