import { describe, expect, it } from 'vitest';
import { diskOf } from './disk.ts';
import { identityFiles } from './provision.ts';

const options = {
  name: 'm1',
  namespace: 'n',
  cgroup: 'c',
  folder: '/beds/m1',
  base: '/cache/root',
  node: '/node',
};

describe('diskOf', () => {
  it('keeps volumes in folders of their own', () => {
    expect(diskOf({ ...options, volumes: ['/var/lib/kubelet'] }).volumes).toEqual({
      '/var/lib/kubelet': '/beds/m1/volumes/var-lib-kubelet',
    });
  });

  it.each(['relative', '/with:colon', '/with,comma', '/with\\backslash'])(
    'refuses the folder %j',
    (folder) => {
      expect(() => diskOf({ ...options, folder })).toThrow('cannot hold a machine');
      expect(() => diskOf({ ...options, base: folder })).toThrow('cannot hold a machine');
    },
  );
});

describe('identityFiles', () => {
  it('makes each machine another one, with keys that only root may read', () => {
    const make = () =>
      identityFiles({ name: 'm1', authorizedKeys: ['ssh-ed25519 AAAA one', 'ssh-ed25519 AAAB two'] });
    const id = (files: ReturnType<typeof make>) => files.find(({ path }) => path === 'etc/machine-id');
    expect(id(make())).not.toEqual(id(make()));
    expect(make()).toContainEqual({
      kind: 'file',
      path: 'root/.ssh/authorized_keys',
      content: 'ssh-ed25519 AAAA one\nssh-ed25519 AAAB two\n',
      mode: 0o600,
    });
  });
});
