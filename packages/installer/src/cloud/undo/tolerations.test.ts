import { expect, test } from 'vitest';
import { hasItsOwn } from './tolerations.ts';

const key = 'node.kubernetes.io/unreachable';
const own = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 };
const ours = (tolerationSeconds?: number): object => ({ ...own, operator: 'Equal', tolerationSeconds });

test.each([
  ['none', [], true],
  ['its own', [own], true],
  ['ours for a day', [ours(86_400), own], false],
  ['ours for ever', [ours(), own], false],
  ['ours as its own', [ours(300), own], true],
  ['one of everything behind ours', [ours(86_400), { operator: 'Exists' }], false],
  ['one of our form alone', [ours(60)], true],
])('a pod with %s', (_what, tolerations, isOwn) => {
  expect(hasItsOwn(tolerations)).toBe(isOwn);
});
