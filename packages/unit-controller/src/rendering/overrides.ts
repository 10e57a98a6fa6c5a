import type { UnitAppOverride } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import {
  type JsonObject,
  isList,
  isObject,
  jsonPatched,
  mergePatched,
  strategicMerged,
  typeOf,
} from '@selvedge/kube';
import { type UnitValues, isSelected } from './unit-values.ts';

const invalid = (message: string, cause?: unknown): SelvedgeError =>
  new SelvedgeError(message, { code: 'Invalid', ...(cause === undefined ? {} : { cause }) });

/** Whether an override is for the unit. Pure. */
const isFor = ({ units, unitSelector }: UnitAppOverride, unit: UnitValues): boolean =>
  units === undefined
    ? unitSelector !== undefined && isSelected(unitSelector, unit)
    : units.includes(unit.name);

type ContainerChange = NonNullable<UnitAppOverride['containers']>[number];

const lists = ['containers', 'initContainers'] as const;

/** A strategic merge patch does what is meant: variables are merged by name, resources are replaced. */
function changedContainer(container: JsonObject, { image, env, resources }: ContainerChange): JsonObject {
  const patch = { ...(image === undefined ? {} : { image }), ...(env === undefined ? {} : { env }) };
  const merged = strategicMerged('core.v1.Container', container, patch);
  return resources === undefined ? merged : { ...merged, resources };
}

function withContainers(workload: JsonObject, changes: readonly ContainerChange[]): JsonObject {
  const left = new Set(changes.map(({ name }) => name));
  const changedIn = (containers: unknown): unknown =>
    isList(containers)
      ? containers.map((container) => {
          const change = isObject(container)
            ? changes.find(({ name }) => name === container['name'])
            : undefined;
          if (change === undefined || !isObject(container)) return container;
          left.delete(change.name);
          return changedContainer(container, change);
        })
      : containers;
  const podSpec = podSpecOf(workload);
  const fields = lists.filter((list) => Object.hasOwn(podSpec, list));
  const changed = Object.fromEntries(fields.map((list) => [list, changedIn(podSpec[list])] as const));
  if (left.size > 0) throw invalid(`the template has no container ${Array.from(left).join(', ')}`);
  return mergePatched(workload, { spec: { template: { spec: changed } } }) as JsonObject;
}

/** The spec of the pods of a workload; throws `Invalid` if it has none. */
export function podSpecOf(workload: JsonObject): JsonObject {
  const spec = ['spec', 'template', 'spec'].reduce<unknown>(
    (value, key) => (isObject(value) ? value[key] : undefined),
    workload,
  );
  if (isObject(spec)) return spec;
  throw invalid('the template has no pods: spec.template.spec is missing');
}

type Change = (workload: JsonObject, override: UnitAppOverride) => JsonObject;

/** In their order. */
const changes: readonly Change[] = [
  (workload, { replicas }) =>
    replicas === undefined ? workload : (mergePatched(workload, { spec: { replicas } }) as JsonObject),
  (workload, { containers = [] }) =>
    containers.length === 0 ? workload : withContainers(workload, containers),
  (workload, { strategicMerge }) => {
    const type = typeOf(workload['apiVersion'], workload['kind']);
    return strategicMerge === undefined || type === undefined
      ? workload
      : strategicMerged(type, workload, strategicMerge);
  },
  (workload, { jsonPatch = [] }) => {
    const patched = jsonPatched(workload, jsonPatch);
    if (isObject(patched)) return patched;
    throw invalid('the JSON patch leaves no object');
  },
];

/** The workload with all overrides for the unit, in their order. Throws `Invalid`, which names the override. Pure. */
export function overridden(
  workload: JsonObject,
  overrides: readonly UnitAppOverride[],
  unit: UnitValues,
): JsonObject {
  return overrides
    .filter((override) => isFor(override, unit))
    .reduce((before, override) => {
      try {
        return changes.reduce((object, change) => change(object, override), before);
      } catch (error) {
        const why = error instanceof SelvedgeError ? error.message : String(error);
        throw invalid(`override ${override.name}: ${why}`, error);
      }
    }, workload);
}
