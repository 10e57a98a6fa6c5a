export type { ObjectMeta } from './gen/types.ts';
