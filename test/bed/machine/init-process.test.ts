import { describe, expect, it } from 'vitest';
import { parseNamespacePids } from './init-process.ts';

describe('parseNamespacePids', () => {
  it.each([
    ['Name:\tsystemd\nNSpid:\t28247\t1\nNSpgid:\t28247\t1\n', [28_247, 1]],
    ['Name:\tpause\nNSpid:\t300\t40\t1\n', [300, 40, 1]],
    ['Name:\tinit\nNSpid:\t1\n', [1]],
    ['Name:\told\n', []],
  ])('reads %j', (status, pids) => {
    expect(parseNamespacePids(status)).toEqual(pids);
  });
});
