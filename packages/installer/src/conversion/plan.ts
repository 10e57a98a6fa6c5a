import { SelvedgeError } from '@selvedge/kit';
import type { NodeFacts } from '../facts/index.ts';
import type { Layout } from '../layouts/index.ts';
import type { Step } from '../steps/index.ts';
import type { ConversionOptions } from './types.ts';

/**
 * The steps that make an edge node of a node, the smallest that do. Empty if it is one. Pure. Throws `Conflict` if the
 * layout has obstacles.
 */
export function planConversion(
  facts: NodeFacts,
  layout: Layout,
  options: ConversionOptions,
): readonly Step[] {
  const [obstacle] = layout.obstacles;
  if (obstacle !== undefined) {
    throw new SelvedgeError(`${facts.hostname} cannot be converted: ${obstacle}`, { code: 'Conflict' });
  }
  return layout.converted || options.unit === '' ? [] : [{ kind: 'reload' }];
}
