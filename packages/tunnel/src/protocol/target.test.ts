import { describe, expect, it } from 'vitest';
import { isServiceName } from './target.ts';

describe('the name of a service', () => {
  it.each(['kube-apiserver', 'a', 'metrics.v2', 'a'.repeat(253)])('is %s', (name) => {
    expect(isServiceName(name)).toBe(true);
  });
  it.each(['', '-a', 'a-', 'A', 'a:1', 'a/b', 'a b', 'a\n', 'a'.repeat(254)])('is not %j', (name) => {
    expect(isServiceName(name)).toBe(false);
  });
});
