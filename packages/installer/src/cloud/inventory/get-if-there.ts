import { hasCode } from '@selvedge/kit';
import type { KubeClient, KubeObject, ObjectRef, Resource } from '@selvedge/kube';

/** An object, if there is one. */
export async function getIfThere<T extends KubeObject>(
  cluster: Pick<KubeClient, 'get'>,
  { resource, at }: { readonly resource: Resource<T>; readonly at: ObjectRef },
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await cluster.get(resource, at, { signal });
  } catch (error) {
    if (hasCode(error, 'NotFound')) return undefined;
    throw error;
  }
}
