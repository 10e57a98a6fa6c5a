import { unitAppManager } from '../rendering/index.ts';

/** Of every request. */
export const timeoutMs = 10_000;

/** Of every write. */
export const writing = { fieldManager: unitAppManager, timeoutMs } as const;
