import { expect, it } from 'vitest';
import { lasting } from '../e2e/support/installer-cluster.ts';

const looks = (...all: readonly (readonly string[] | Error)[]): (() => Promise<readonly string[]>) => {
  const left = [...all];
  return async () => {
    const found = (left.length > 1 ? left.shift() : left[0]) ?? [];
    if (found instanceof Error) throw found;
    return found;
  };
};

const broken = new Error('the machine cannot be looked at');

it('what goes away by itself is no change of a machine', async () => {
  expect(await lasting('nothing', looks(['rule'], broken, []))).toEqual([]);
});

it('what stays is a change, whatever becomes of later looks', async () => {
  expect(await lasting('nothing', looks(['rule']), 200)).toEqual(['rule']);
  expect(await lasting('nothing', looks(['rule'], broken), 200)).toEqual(['rule']);
});

it('a machine that cannot be looked at is not taken for one without changes', async () => {
  await expect(lasting('nothing', looks(broken), 200)).rejects.toThrow(broken.message);
});
