export type { StatusInput, Verdict, Waiting } from './input.ts';
export { isTerminal, podStatus } from './status.ts';
export { goSeconds } from './time.ts';
