export { describeSteps } from './describe.ts';
export { planConversion } from './plan.ts';
export type { ConversionOptions } from './types.ts';
