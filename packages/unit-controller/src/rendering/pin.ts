import { labels } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import { type JsonObject, isList, isObject, mergePatched } from '@selvedge/kube';
import { podSpecOf } from './overrides.ts';

const objectIn = (object: JsonObject, ...path: readonly string[]): JsonObject => {
  const found = path.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), object);
  return isObject(found) ? found : {};
};

const required = 'requiredDuringSchedulingIgnoredDuringExecution';

/** Terms are alternatives: each gets the requirement, and without any there is one that has nothing else. */
function pinnedTerms(podSpec: JsonObject, unit: string): readonly unknown[] {
  const pinning = { key: labels.nodeUnit, operator: 'In', values: [unit] };
  const { nodeSelectorTerms: terms } = objectIn(podSpec, 'affinity', 'nodeAffinity', required);
  const alternatives = isList(terms) && terms.length > 0 ? terms : [{}];
  return alternatives.map((term) => {
    const { matchExpressions: others } = isObject(term) ? term : {};
    return {
      ...(isObject(term) ? term : {}),
      matchExpressions: [...(isList(others) ? others : []), pinning],
    };
  });
}

/**
 * The workload whose pods can only be on nodes of the unit. A pod that names its node would not be asked for anything, so
 * that is `Invalid`. Source: kubernetes.io "Assigning Pods to Nodes". Pure.
 */
export function pinned(workload: JsonObject, unit: string): JsonObject {
  const podSpec = podSpecOf(workload);
  if (Object.hasOwn(podSpec, 'nodeName')) {
    const message = 'spec.template.spec.nodeName leads past the scheduler, and so out of the unit';
    throw new SelvedgeError(message, { code: 'Invalid' });
  }
  const nodeAffinity = { [required]: { nodeSelectorTerms: pinnedTerms(podSpec, unit) } };
  return mergePatched(workload, {
    spec: { template: { spec: { affinity: { nodeAffinity } } } },
  }) as JsonObject;
}
