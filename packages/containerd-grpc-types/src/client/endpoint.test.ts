import { describe, expect, it } from 'vitest';
import { endpointPath } from './endpoint.ts';

describe('a runtime endpoint', () => {
  it.each([
    ['unix:///run/containerd/containerd.sock', '/run/containerd/containerd.sock'],
    ['npipe:////./pipe/containerd-containerd', '\\\\.\\pipe\\containerd-containerd'],
  ])('%s is the path %s', (endpoint, path) => {
    expect(endpointPath(endpoint)).toBe(path);
  });

  it.each(['', '/run/containerd.sock', 'unix://', 'unix://run/x.sock', 'tcp:///x', 'npipe:///pipe/x'])(
    '"%s" is refused',
    (endpoint) => {
      expect(() => endpointPath(endpoint)).toThrow('is not a runtime endpoint');
    },
  );
});
