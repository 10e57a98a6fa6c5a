import { createLimiter } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import { limits } from '../../limits.ts';
import type { Right } from '../../reading/index.ts';

/** Those of the rights that the person does not have. */
export async function missingRights(
  rights: readonly Right[],
  cluster: Pick<KubeClient, 'create'>,
  signal: AbortSignal,
): Promise<readonly Right[]> {
  const limiter = createLimiter({ capacity: limits.atATime });
  const isMissing = async (right: Right): Promise<boolean> => {
    const spec = { resourceAttributes: { ...right } };
    const review = await cluster.create(
      resources.selfSubjectAccessReviews,
      { metadata: {}, spec },
      { signal },
    );
    return review.status?.allowed !== true;
  };
  const missing = await Promise.all(rights.map((right) => limiter.run(signal, () => isMissing(right))));
  return rights.filter((_right, at) => missing[at]);
}
