export { convert } from './command.ts';
export { convertWith } from './convert.ts';
export type { CloudWork, ConvertEngineDeps, NodeWork } from './engine.ts';
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
