import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { longest, longestFirst } from './longest-first.ts';

const [first = '', second = ''] = longest;
const file = (project: string, name: string) => ({ project: { name: project }, moduleId: `/repo/${name}` });

it('begins each project with what takes longest, and leaves the order of the others and of projects', () => {
  const files = [
    file('api', 'b.test.ts'),
    file('api', second),
    file('api', 'a.test.ts'),
    file('api', first),
    file('e2e', 'c.test.ts'),
  ];
  const places = longestFirst(files).map(({ moduleId }) => moduleId);
  expect(places).toEqual([first, second, 'b.test.ts', 'a.test.ts', 'c.test.ts'].map((one) => `/repo/${one}`));
});

it.each(longest)('knows a file that there is: %s', (name) => access(join(import.meta.dirname, '..', name)));
