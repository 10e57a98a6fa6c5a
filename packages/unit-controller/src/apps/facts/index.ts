export { isConnected, isCutInPart } from './link.ts';
export { Openings } from './openings.ts';
export { Refusals, sharedUnit } from './refusals.ts';
