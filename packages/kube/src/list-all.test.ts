import { SelvedgeError } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import type { KubeClient, ListOptions } from './client.ts';
import type { ConfigMap } from './gen/types.ts';
import { listAll } from './list-all.ts';
import { resources } from './resources.ts';

const { signal } = new AbortController();
const map = (name: string): ConfigMap => ({ metadata: { name } });

/** Pages of two, of which the second fails with `Gone` as often as told. */
function lister(gone: number): {
  readonly client: Pick<KubeClient, 'list'>;
  readonly limits: (number | undefined)[];
} {
  let left = gone;
  const limits: (number | undefined)[] = [];
  const list = async (_resource: unknown, options: ListOptions): Promise<unknown> => {
    limits.push(options.limit);
    if (options.limit === undefined)
      return { items: ['a', 'b', 'c'].map(map), metadata: { resourceVersion: '9' } };
    if (options.continue === undefined) {
      return { items: ['a', 'b'].map(map), metadata: { resourceVersion: '5', continue: 'next' } };
    }
    left -= 1;
    if (left >= 0) throw new SelvedgeError('expired', { code: 'Gone' });
    return { items: [map('c')], metadata: { resourceVersion: '5', continue: '' } };
  };
  return { client: { list } as unknown as Pick<KubeClient, 'list'>, limits };
}

describe('a full list', () => {
  it.each([
    [0, '5', [500, 500]],
    [1, '5', [500, 500, 500, 500]],
    [2, '9', [500, 500, 500, 500, undefined]],
  ])('is complete after its version was gone %i times', async (gone, resourceVersion, asked) => {
    const { client, limits } = lister(gone);
    const list = await listAll(client, resources.configMaps, { signal });
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c']);
    expect([list.resourceVersion, limits]).toEqual([resourceVersion, asked]);
  });
});
