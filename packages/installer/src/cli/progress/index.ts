export type { ProgressEvent, Reporter, TaskChange, TaskRef } from './events.ts';
export { createJsonReporter } from './json.ts';
export { createLiveReporter, type LiveTerminal } from './live.ts';
export { createPlainReporter } from './plain.ts';
export { createProgress } from './progress.ts';
