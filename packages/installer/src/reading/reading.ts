import { hasCode, messageOf } from '@selvedge/kit';
import type { KubeClient, KubeObject, Resource } from '@selvedge/kube';
import type { Reading, Right, Seen, Unread } from './types.ts';
import { nameOfRight } from './words.ts';

function rightTo(
  verb: 'get' | 'list',
  { apiVersion, plural }: Resource<KubeObject>,
  { namespace, name }: { readonly namespace?: string | undefined; readonly name?: string },
): Right {
  const [group = ''] = apiVersion.includes('/') ? apiVersion.split('/') : [];
  return {
    group,
    resource: plural,
    verb,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

export function createReading({
  cluster,
  signal,
}: {
  readonly cluster: Pick<KubeClient, 'get' | 'listAll'>;
  readonly signal: AbortSignal;
}): Reading {
  const unread = new Map<string, Unread>();
  async function attempt<T>(right: Right, answer: Promise<T>): Promise<Seen<T>> {
    try {
      return { kind: 'seen', value: await answer };
    } catch (error) {
      if (!hasCode(error, 'Forbidden', 'NotFound')) throw error;
      if (error.code === 'NotFound') return { kind: 'absent' };
      const one = { right, why: messageOf(error) };
      unread.set(nameOfRight(right), one);
      return { kind: 'unread', ...one };
    }
  }
  return {
    get unread() {
      return [...unread.values()];
    },
    get: (resource, at) => attempt(rightTo('get', resource, at), cluster.get(resource, at, { signal })),
    list: (resource, selection = {}) => {
      const listed = cluster.listAll(resource, { ...selection, signal });
      return attempt(
        rightTo('list', resource, { namespace: selection.namespace }),
        listed.then(({ items }) => items),
      );
    },
  };
}

/** What was read, else the fallback. */
export const seenOr = <T, F>(seen: Seen<T>, fallback: F): T | F =>
  seen.kind === 'seen' ? seen.value : fallback;
