import { expect, it } from 'vitest';
import { ReadsWorld, podOf } from './testing.ts';

interface List {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

it('a limited list of large objects ends early, and goes on where it ended', async () => {
  const world = new ReadsWorld();
  const names = Array.from({ length: 900 }, (_, i) => `pod-${1_000 + i}`);
  for (const name of names) world.pods.change({ namespace: 'a', name }, podOf({ text: 'x'.repeat(6_000) }));
  world.cut();
  const found: string[] = [];
  const lengths: number[] = [];
  for (let token = ''; lengths.length < 10; ) {
    const list = (await world.json(`/api/v1/pods?limit=700&continue=${token}`)) as List;
    found.push(...list.items.map(({ metadata }) => metadata.name));
    lengths.push(list.items.length);
    token = list.metadata.continue ?? '';
    if (token === '') break;
  }
  expect(found).toEqual(names);
  expect(lengths).toEqual([200, 200, 200, 200, 100]);
});
