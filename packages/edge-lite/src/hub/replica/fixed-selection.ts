import { parseFieldSelector } from '@selvedge/kube';
import type { CoverageSpec } from './types.ts';

/** No object of any kind can be given another one. */
const places: ReadonlySet<string> = new Set(['metadata.name', 'metadata.namespace']);

/**
 * Whether an object that is selected stays selected as long as it lives: then it is gone when upstream says that it left.
 * A watch tells with the same words, and with the last state that was selected, that an object has left the selection.
 * Sources: kubernetes.io "Kubernetes API Concepts"; a pod's node is set once, by its binding.
 */
export function isFixed({ resource, labelSelector, fieldSelector }: CoverageSpec): boolean {
  if (labelSelector !== '') return false;
  return parseFieldSelector(fieldSelector).every(({ field, operator, value }) => {
    if (places.has(field)) return true;
    return resource === 'v1/pods' && field === 'spec.nodeName' && operator === '=' && value !== '';
  });
}
