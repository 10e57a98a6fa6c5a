import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { enableCri, parseRuntimeConfig } from './containerd-config.ts';

/** Parts of what `containerd config dump` of 1.6 prints with Debian's file. */
const old = `disabled_plugins = []
imports = ["/etc/containerd/config.toml"]
root = "/var/lib/containerd"
version = 2

[grpc]
  address = "/run/containerd/containerd.sock"
  gid = 0

[plugins]

  [plugins."io.containerd.grpc.v1.cri"]
    restrict_oom_score_adj = false
    sandbox_image = "registry.k8s.io/pause:3.6"

    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
      conf_template = ""

    [plugins."io.containerd.grpc.v1.cri".containerd]

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes]

        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
          runtime_type = "io.containerd.runc.v2"

          [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
            BinaryName = ""
            SystemdCgroup = true
`;

/** The same of 2.x. */
const newer = `version = 3
disabled_plugins = []

[grpc]
  address = '/run/containerd/containerd.sock'

[plugins]
  [plugins.'io.containerd.cri.v1.images']
    snapshotter = 'overlayfs'

    [plugins.'io.containerd.cri.v1.images'.pinned_images]
      sandbox = 'registry.k8s.io/pause:3.10'

  [plugins.'io.containerd.cri.v1.runtime']
    [plugins.'io.containerd.cri.v1.runtime'.containerd]
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes]
        [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
          [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
            SystemdCgroup = false

    [plugins.'io.containerd.cri.v1.runtime'.cni]
      bin_dir = ''
      bin_dirs = ['/opt/cni/bin', '/usr/lib/cni']
      conf_dir = '/etc/cni/net.d'
`;

describe('what containerd is told', () => {
  it('is read in the words of 1.x', () => {
    expect(parseRuntimeConfig(old)).toEqual({
      servesCri: true,
      socket: '/run/containerd/containerd.sock',
      sandboxImage: 'registry.k8s.io/pause:3.6',
      cgroupDriver: 'systemd',
      pluginFolders: ['/usr/lib/cni'],
      networkFolder: '/etc/cni/net.d',
    });
  });

  it('is read in the words of 2.x', () => {
    expect(parseRuntimeConfig(newer)).toMatchObject({
      servesCri: true,
      sandboxImage: 'registry.k8s.io/pause:3.10',
      cgroupDriver: 'cgroupfs',
      pluginFolders: ['/opt/cni/bin', '/usr/lib/cni'],
    });
  });

  it.each(['cri', 'io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.runtime'])(
    'has no CRI where %s is switched off',
    (name) => {
      const text = old.replace('disabled_plugins = []', `disabled_plugins = ["aufs", "${name}"]`);
      expect(parseRuntimeConfig(text).servesCri).toBe(false);
    },
  );
});

describe('the edit that lets it serve the CRI', () => {
  const edited = (text: string): string => {
    const change = enableCri(text);
    if (change === undefined) return text;
    expect(text.slice(change.at, change.at + change.old.length)).toBe(change.old);
    return text.slice(0, change.at) + change.new + text.slice(change.at + change.old.length);
  };

  it('is the smallest', () => {
    const docker = '# comment\n  disabled_plugins = ["cri"] # why\n\n#root = "/var/lib/containerd"\n';
    expect(edited(docker)).toBe(
      '# comment\n  disabled_plugins = [] # why\n\n#root = "/var/lib/containerd"\n',
    );
    expect(edited('disabled_plugins = [\n  "aufs",\n  "cri",\n]\n')).toBe('disabled_plugins = ["aufs"]\n');
  });

  it.each(['', 'version = 2\n', '#disabled_plugins = ["cri"]\n', 'disabled_plugins = ["aufs"]\n'])(
    'is not made of %j',
    (text) => {
      expect(enableCri(text)).toBeUndefined();
    },
  );

  test.prop([fc.array(fc.constantFrom('cri', 'aufs', 'zfs', 'io.containerd.grpc.v1.cri'))])(
    'leaves what else is switched off',
    (names) => {
      const text = `a = 1\ndisabled_plugins = ${JSON.stringify(names)}\n`;
      const kept = names.filter((name) => !name.endsWith('cri'));
      expect(edited(text).replaceAll(' ', '')).toBe(`a=1\ndisabled_plugins=${JSON.stringify(kept)}\n`);
    },
  );
});
