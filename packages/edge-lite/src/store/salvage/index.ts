export type { Copied } from './copy.ts';
export { finishSalvage, salvage, type Salvage } from './salvage.ts';
