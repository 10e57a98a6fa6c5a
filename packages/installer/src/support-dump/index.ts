export { describeSupportDump } from './describe.ts';
export { supportDump } from './dump.ts';
export type { SupportDumpDeps, SupportDumpOptions, SupportDumpResult } from './types.ts';
