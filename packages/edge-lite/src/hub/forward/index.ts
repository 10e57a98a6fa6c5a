export { createForward, type ForwardDeps, type ForwardOptions } from './forward.ts';
export { alreadyExists, conflict, modified } from './refusals.ts';
