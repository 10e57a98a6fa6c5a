export { isConnected } from './link.ts';
export { type Opening, Openings } from './openings.ts';
export { type Refusal, Refusals } from './refusals.ts';
