import { SelvedgeError } from '@selvedge/kit';
import type { AnswerRoute } from '../types.ts';

const refuse = (methods: readonly string[], path: string, text: string): AnswerRoute => ({
  kind: 'answer',
  methods,
  path,
  handle: async () => {
    throw new SelvedgeError(text, { code: 'Unsupported' });
  },
});

const run = '/run is not served by this node; use exec';
const checkpoint = 'this node does not checkpoint containers';
const logs = 'this node does not serve the logs of its system; use journalctl on the machine';

/** What kubelets have and this one says plainly that it has not. */
export const refusedRoutes: readonly AnswerRoute[] = [
  refuse(['POST'], '/run/{namespace}/{pod}/{container}', run),
  refuse(['POST'], '/run/{namespace}/{pod}/{uid}/{container}', run),
  refuse(['POST'], '/checkpoint/{namespace}/{pod}/{container}', checkpoint),
  refuse(['GET'], '/logs', logs),
  refuse(['GET'], '/logs/{file}', logs),
];
