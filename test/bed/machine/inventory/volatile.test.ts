import { describe, expect, it } from 'vitest';
import { volatilePaths } from './volatile.ts';
import { volatileLookup } from './volatile-lookup.ts';

describe('what changes by itself on a machine', () => {
  it.each([
    ['/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db', 'all'],
    ['/var/lib/kubelet/pods/1/etc-hosts', 'all'],
    ['/var/lib/kubelet/pki/kubelet-client-current.pem', 'nothing'],
    ['/var/lib/kubelet/config.yaml', 'nothing'],
    ['/etc/cni/net.d/10-pods.conflist', 'nothing'],
    ['/var/lib/selvedge', 'nothing'],
    ['/var/lib/cnix', 'nothing'],
    ['/var/tmp/systemd-private-1-logind.service-2/tmp', 'all'],
    ['/var/tmp/selvedge', 'nothing'],
    ['/', 'nothing'],
  ])('of %s, left out: %s', (path, left) => {
    expect(volatileLookup(volatilePaths)(path)).toBe(left);
  });

  it('is nothing that an installer writes', () => {
    const touched = ['/etc', '/usr', '/opt', '/root', '/var/lib/selvedge', '/var/lib/rancher'];
    for (const folder of touched)
      expect(volatilePaths.filter(({ path }) => path === folder || path.startsWith(`${folder}/`))).toEqual(
        [],
      );
  });
});
