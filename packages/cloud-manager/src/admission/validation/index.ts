export { parseWrite, validated, type ValidationDeps } from './validate.ts';
