export { isConnected } from './link.ts';
export { Openings } from './openings.ts';
export { Refusals, sharedUnit } from './refusals.ts';
