import { jsonAnswer } from '../errors.ts';
import type { KubeletRoute } from '../types.ts';

/**
 * What runs, for tools that look: `kubeletconfig` in the words of KubeletConfiguration, as far as a lite node has them, and
 * the node's own config. Neither holds anything confidential.
 */
export function configRoute(shown: {
  readonly kubeletconfig: object;
  readonly 'edge-lite': object;
}): KubeletRoute {
  return { kind: 'answer', methods: ['GET'], path: '/configz', handle: async () => jsonAnswer(shown) };
}
