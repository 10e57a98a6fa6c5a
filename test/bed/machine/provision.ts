import { randomBytes } from 'node:crypto';
import type { TarEntry } from '@selvedge/hack/image';

export interface IdentityOptions {
  /** The host's name. */
  readonly name: string;
  /** Lines of `authorized_keys` for root. */
  readonly authorizedKeys: readonly string[];
}

export const hostKeyFile = '/etc/ssh/ssh_host_ed25519_key';

/** What makes a key of the machine's own, once. */
export const hostKeyArgv = ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', hostKeyFile] as const;

/** What tells a machine from another that was made from the same root. */
export function identityFiles({ name, authorizedKeys }: IdentityOptions): readonly TarEntry[] {
  return [
    { kind: 'file', path: 'etc/hostname', content: `${name}\n` },
    { kind: 'file', path: 'etc/hosts', content: `127.0.0.1 localhost\n127.0.1.1 ${name}\n::1 localhost\n` },
    { kind: 'file', path: 'etc/resolv.conf', content: 'options ndots:0\n' },
    { kind: 'file', path: 'etc/machine-id', content: `${randomBytes(16).toString('hex')}\n`, mode: 0o444 },
    { kind: 'directory', path: 'root/.ssh', mode: 0o700 },
    {
      kind: 'file',
      path: 'root/.ssh/authorized_keys',
      content: authorizedKeys.map((key) => `${key}\n`).join(''),
      mode: 0o600,
    },
  ];
}
