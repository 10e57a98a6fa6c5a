export { ownerOf, unitAppManager, type Child, type RenderInput } from './child.ts';
export { cloneName } from './clone-name.ts';
export { hashOf } from './hash.ts';
export { horizontalPodAutoscalers, renderShared, renderUnit, workloads } from './render.ts';
export { isSelected, substituted, valuesOf, type UnitValues } from './unit-values.ts';
export { withoutUnmanaged } from './unmanaged.ts';
