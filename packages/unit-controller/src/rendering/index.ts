export { cloneName } from './clone-name.ts';
export {
  horizontalPodAutoscalers,
  renderShared,
  renderUnit,
  unitAppManager,
  type Child,
  type RenderInput,
} from './render.ts';
export { isSelected, substituted, valuesOf, type UnitValues } from './unit-values.ts';
export { withoutUnmanaged } from './unmanaged.ts';
