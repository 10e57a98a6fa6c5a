export type { StatusInput, Verdict, Waiting } from './input.ts';
export { isTerminal, podStatus } from './status.ts';
export { apiTime, goSeconds } from './time.ts';
