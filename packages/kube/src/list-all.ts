import { SelvedgeError, hasCode } from '@selvedge/kit';
import type { KubeClient, ListAllOptions } from './client.ts';
import type { KubeObject, ObjectList } from './object.ts';
import { resourceName, type Resource } from './resource.ts';

export interface FullList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

const defaultPageSize = 500;
const defaultMaxObjects = 100_000;
const maxRestarts = 2;

type Lister = Pick<KubeClient, 'list'>;

async function readPages<T extends KubeObject>(
  client: Lister,
  resource: Resource<T>,
  options: ListAllOptions & { readonly pageSize: number | undefined },
): Promise<FullList<T>> {
  const { pageSize, maxObjects = defaultMaxObjects, ...rest } = options;
  const items: T[] = [];
  let page: ObjectList<T> | undefined;
  do {
    page = await client.list(resource, { ...rest, limit: pageSize, continue: page?.metadata.continue });
    for (const item of page.items) items.push(item);
    if (items.length > maxObjects) {
      const message = `the list of ${resourceName(resource)} has more than ${maxObjects} objects`;
      throw new SelvedgeError(message, { code: 'ResourceExhausted' });
    }
  } while ((page.metadata.continue ?? '') !== '');
  return { items, resourceVersion: page.metadata.resourceVersion ?? '' };
}

/**
 * Reads all pages. When the server compacted the list's version away half-way (`Gone`), the list starts anew, and at
 * last without pages.
 */
export async function listAll<T extends KubeObject>(
  client: Lister,
  resource: Resource<T>,
  options: ListAllOptions,
): Promise<FullList<T>> {
  for (let restarts = 0; ; restarts += 1) {
    const pageSize = restarts < maxRestarts ? (options.pageSize ?? defaultPageSize) : undefined;
    try {
      return await readPages(client, resource, { ...options, pageSize });
    } catch (error) {
      if (!hasCode(error, 'Gone') || pageSize === undefined) throw error;
    }
  }
}
