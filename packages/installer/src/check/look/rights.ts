import { createLimiter } from '@selvedge/kit';
import { type KubeClient, defineResource } from '@selvedge/kube';
import type { SelfSubjectAccessReview } from '@selvedge/kube/types';
import type { CloudRight } from '../../cloud/index.ts';

const reviews = defineResource<SelfSubjectAccessReview>({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
});

const atATime = 8;

/** Those of the rights that the person does not have. */
export async function missingRights(
  rights: readonly CloudRight[],
  cluster: Pick<KubeClient, 'create'>,
  signal: AbortSignal,
): Promise<readonly CloudRight[]> {
  const limiter = createLimiter({ capacity: atATime });
  const isMissing = async (right: CloudRight): Promise<boolean> => {
    const spec = { resourceAttributes: { ...right } };
    const review = await cluster.create(reviews, { metadata: {}, spec }, { signal });
    return review.status?.allowed !== true;
  };
  const missing = await Promise.all(rights.map((right) => limiter.run(signal, () => isMissing(right))));
  return rights.filter((_right, at) => missing[at]);
}
