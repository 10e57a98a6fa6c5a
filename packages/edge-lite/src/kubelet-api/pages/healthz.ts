import type { RuntimeHealth } from '../../runtime/index.ts';
import { textAnswer } from '@selvedge/kit/serve';
import type { KubeletRoute } from '../types.ts';

/** Undefined: it is well. */
type Check = () => string | undefined;

export interface HealthDeps {
  readonly runtime: { readonly health: RuntimeHealth };
}

/** As `/healthz` of the kubelet: `ok`, or what failed. Source: k8s.io/apiserver `pkg/server/healthz`. */
export function healthRoutes({ runtime }: HealthDeps): readonly KubeletRoute[] {
  const checks: Readonly<Record<string, Check>> = {
    ping: () => undefined,
    runtime: () => (runtime.health.kind === 'down' ? runtime.health.error : undefined),
  };
  const all = (verbose: boolean): ReturnType<typeof textAnswer> => {
    const outcomes = Object.entries(checks).map(([name, check]) => ({ name, failure: check() }));
    const failed = outcomes.some(({ failure }) => failure !== undefined);
    if (!failed && !verbose) return textAnswer(200, 'ok');
    const lines = outcomes.map(({ name, failure }) =>
      failure === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${failure}\n`,
    );
    return textAnswer(failed ? 500 : 200, `${lines.join('')}healthz check ${failed ? 'failed' : 'passed'}\n`);
  };
  const one = (name: string, check: Check): KubeletRoute => ({
    kind: 'answer',
    methods: ['GET'],
    path: `/healthz/${name}`,
    handle: async () => {
      const failure = check();
      return failure === undefined
        ? textAnswer(200, 'ok')
        : textAnswer(500, `internal server error: ${failure}\n`);
    },
  });
  return [
    {
      kind: 'answer',
      methods: ['GET'],
      path: '/healthz',
      handle: async ({ query }) => all(query.has('verbose')),
    },
    ...Object.entries(checks).map(([name, check]) => one(name, check)),
  ];
}
