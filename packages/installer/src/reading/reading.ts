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
  const unread = new Map<string, Unread & { readonly at: number }>();
  let tried = 0;
  async function attempt<T>(right: Right, answer: Promise<T>): Promise<Seen<T>> {
    const at = tried;
    tried += 1;
    try {
      return { kind: 'seen', value: await answer };
    } catch (error) {
      if (!hasCode(error, 'Forbidden', 'NotFound')) throw error;
      if (error.code === 'NotFound') return { kind: 'absent' };
      const one = { right, why: messageOf(error) };
      unread.set(nameOfRight(right), { ...one, at });
      return { kind: 'unread', ...one };
    }
  }
  return {
    get unread() {
      const inOrder = [...unread.values()].toSorted((one, other) => one.at - other.at);
      return inOrder.map(({ right, why }) => ({ right, why }));
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
