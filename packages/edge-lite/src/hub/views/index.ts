export type { ReachableNodes } from './endpoint-truth.ts';
export { createViews, type ViewsDeps, type ViewsOptions } from './views.ts';
