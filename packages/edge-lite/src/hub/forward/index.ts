export { createForward, type ForwardDeps, type ForwardOptions } from './forward.ts';
export { impersonates } from './headers.ts';
export { jsonResponse } from './json-response.ts';
export { alreadyExists, conflict, modified } from './refusals.ts';
