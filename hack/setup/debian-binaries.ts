import type { Binary } from './binaries.ts';

export interface DebianBinary {
  /** Names the folder in the cache. */
  readonly name: string;
  readonly packages: readonly string[];
  /** Relative to the root of the unpacked packages. */
  readonly file: string;
}

const containerd = { name: 'containerd', packages: ['containerd', 'runc'] };

/** Programs of Debian packages that are used where they are unpacked. containerd's shim lies beside it. */
export const debianBinaries: Partial<Record<Binary, DebianBinary>> = {
  containerd: { ...containerd, file: 'usr/bin/containerd' },
  ctr: { ...containerd, file: 'usr/bin/ctr' },
  runc: { ...containerd, file: 'usr/sbin/runc' },
  'docker-registry': {
    name: 'docker-registry',
    packages: ['docker-registry'],
    file: 'usr/bin/docker-registry',
  },
  tinyproxy: { name: 'tinyproxy', packages: ['tinyproxy-bin'], file: 'usr/bin/tinyproxy' },
  // With those of its libraries that nothing else brings to the machine.
  squid: {
    name: 'squid',
    packages: ['squid', 'squid-common', 'libecap3', 'libltdl7'],
    file: 'usr/sbin/squid',
  },
  nginx: {
    name: 'nginx-stream',
    packages: ['nginx', 'libnginx-mod-stream'],
    file: 'usr/sbin/nginx',
  },
  prometheus: { name: 'prometheus', packages: ['prometheus'], file: 'usr/bin/prometheus' },
};
