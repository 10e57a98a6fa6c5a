export { buildExecutable, type ExecutableOptions } from './executable.ts';
export { nodeFor } from './runtime.ts';
