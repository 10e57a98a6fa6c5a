import type { NodeFacts } from '../facts/index.ts';
import type { Recognition } from './types.ts';

/** How Kubernetes lies on the machine. Pure. */
export function recognize(facts: NodeFacts): Recognition {
  return { kind: 'unknown', found: Object.keys(facts.units) };
}
