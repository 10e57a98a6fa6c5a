export { convert } from './command.ts';
export { type CloudWork, type ConvertEngineDeps, type NodeWork, convertWith } from './convert.ts';
export { describeConvert } from './describe.ts';
export {
  convertDefaults,
  type ConvertDeps,
  type ConvertOptions,
  type ConvertOutcome,
  type ConvertResult,
  type ConvertedNode,
  type NodeDurations,
} from './types.ts';
