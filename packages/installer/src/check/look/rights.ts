import { createLimiter } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import type { CloudRight } from '../../cloud/index.ts';
import { limits } from '../../limits.ts';

/** Those of the rights that the person does not have. */
export async function missingRights(
  rights: readonly CloudRight[],
  cluster: Pick<KubeClient, 'create'>,
  signal: AbortSignal,
): Promise<readonly CloudRight[]> {
  const limiter = createLimiter({ capacity: limits.atATime });
  const isMissing = async (right: CloudRight): Promise<boolean> => {
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
