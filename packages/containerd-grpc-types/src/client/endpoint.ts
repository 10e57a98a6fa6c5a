import { SelvedgeError } from '@selvedge/kit';

/**
 * The path, as `node:net` takes it, of a runtime endpoint as the kubelet writes them:
 * `unix:///run/containerd/containerd.sock`, or `npipe:////./pipe/containerd-containerd` for the Windows pipe
 * `\\.\pipe\containerd-containerd`. Throws `Invalid`.
 */
export function endpointPath(endpoint: string): string {
  const [, scheme, path] = /^(unix|npipe):\/\/(\/.+)$/.exec(endpoint) ?? [];
  if (path !== undefined && scheme === 'unix') return path;
  if (path?.startsWith('//./pipe/') === true) return path.replaceAll('/', '\\');
  const hint = 'write unix:///path/to/socket or npipe:////./pipe/name';
  throw new SelvedgeError(`"${endpoint}" is not a runtime endpoint`, { code: 'Invalid', hint });
}
