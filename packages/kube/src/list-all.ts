import { SelvedgeError, hasCode } from '@selvedge/kit';
import type { KubeClient, ListAllOptions } from './client.ts';
import type { KubeObject, ObjectList } from './object.ts';
import { resourceName, type Resource } from './resource.ts';

export interface FullList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/** What takes the pages of one list. */
export interface PageTarget<T> {
  add(items: readonly T[]): void | Promise<void>;
}

export interface ListIntoOptions<T> extends ListAllOptions {
  /** Called for each list that is begun: once, and again when the server forgot the one before half-way. */
  readonly begin: () => PageTarget<T>;
}

const defaultPageSize = 500;
const defaultMaxObjects = 100_000;
const maxRestarts = 2;

type Lister = Pick<KubeClient, 'list'>;

async function readPages<T extends KubeObject>(
  client: Lister,
  resource: Resource<T>,
  options: ListIntoOptions<T> & { readonly pageSize: number | undefined },
): Promise<string> {
  const { pageSize, maxObjects = defaultMaxObjects, begin, ...rest } = options;
  const target = begin();
  let size = 0;
  const take = (items: readonly T[]): void | Promise<void> => {
    size += items.length;
    if (size <= maxObjects) return target.add(items);
    const message = `the list of ${resourceName(resource)} has more than ${maxObjects} objects`;
    throw new SelvedgeError(message, { code: 'ResourceExhausted' });
  };
  let page: ObjectList<T> | undefined;
  do {
    const at = { limit: pageSize, continue: page?.metadata.continue };
    page = await client.list<T>(resource, { ...rest, ...at, take });
    if (page.items.length > 0) await take(page.items);
  } while ((page.metadata.continue ?? '') !== '');
  return page.metadata.resourceVersion ?? '';
}

/**
 * Reads all pages, one at a time, item by item; resolves with the list's version. When the server compacted that version away half-way
 * (`Gone`), the list starts anew, and at last without pages.
 */
export async function listInto<T extends KubeObject>(
  client: Lister,
  resource: Resource<T>,
  options: ListIntoOptions<T>,
): Promise<string> {
  for (let restarts = 0; ; restarts += 1) {
    const pageSize = restarts < maxRestarts ? (options.pageSize ?? defaultPageSize) : undefined;
    try {
      return await readPages(client, resource, { ...options, pageSize });
    } catch (error) {
      if (!hasCode(error, 'Gone') || pageSize === undefined) throw error;
    }
  }
}

/** All pages in memory. */
export async function listAll<T extends KubeObject>(
  client: Lister,
  resource: Resource<T>,
  options: ListAllOptions,
): Promise<FullList<T>> {
  let items: T[] = [];
  const begin = (): PageTarget<T> => {
    items = [];
    return {
      add(page) {
        for (const item of page) items.push(item);
      },
    };
  };
  const resourceVersion = await listInto(client, resource, { ...options, begin });
  return { items, resourceVersion };
}
