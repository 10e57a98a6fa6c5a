import { describe, expect, it } from 'vitest';
import { sharedFolders } from './host.ts';

describe('sharedFolders', () => {
  it('are the cache and what lies outside of it, once each', () => {
    const files = [
      '/cache/go/kubelet/bin/kubelet',
      '/given/bin/kubectl',
      '/given/bin/kube-proxy',
      '/cache-2/x',
    ];
    expect(sharedFolders('/cache', files)).toEqual({
      '/cache': '/cache',
      '/given/bin': '/given/bin',
      '/cache-2': '/cache-2',
    });
  });
});
