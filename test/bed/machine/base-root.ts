import { mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Cache, type Progress, contentKey, run, updatePackageLists } from '@selvedge/hack/setup';
import { type Mirror, parseCodename, readMirror } from './mirror.ts';

/** What a machine has beside Debian's minimal base. */
const packages = [
  'ca-certificates',
  'conntrack',
  'containerd',
  'containernetworking-plugins',
  'dbus',
  'iproute2',
  'iptables',
  'kmod',
  'libpam-systemd',
  'libstdc++6',
  'nftables',
  'openssh-server',
  'procps',
  'runc',
  'systemd',
  'systemd-sysv',
] as const;

/** Fetched packages and what nobody reads. */
const trimmed = [
  'var/cache/apt',
  'var/lib/apt/lists',
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
] as const;

/** What is made for each machine, so that no two share it. */
const ownToEachMachine = [
  'etc/ssh/ssh_host_ed25519_key',
  'etc/ssh/ssh_host_ecdsa_key',
  'etc/ssh/ssh_host_rsa_key',
];

/**
 * Units that would reach the kernel around the machine (sysctls that no namespace holds, kernel auditing) or that only
 * make noise at night.
 */
const maskedUnits = [
  'systemd-sysctl.service',
  'systemd-journald-audit.socket',
  'e2scrub_reap.service',
  'e2scrub_all.timer',
  'fstrim.timer',
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
] as const;

const files: Readonly<Record<string, string>> = {
  // The kernel's log is the host's. Kept on disk, so that the log of the boot before a power cut can be read.
  'etc/systemd/journald.conf.d/machine.conf':
    '[Journal]\nStorage=persistent\nReadKMsg=no\nSystemMaxUse=64M\nRateLimitIntervalSec=0\n',
  'etc/ssh/sshd_config.d/machine.conf': 'PasswordAuthentication no\nUseDNS no\n',
};

const links: Readonly<Record<string, string>> = {
  'etc/systemd/system/default.target': '/lib/systemd/system/multi-user.target',
  ...Object.fromEntries(maskedUnits.map((unit) => [`etc/systemd/system/${unit}`, '/dev/null'])),
};

/** Everything that decides what is in the root; to be raised when the code below does it differently. */
const recipe = { version: 1, packages, trimmed, ownToEachMachine, files, links };

const ownNamespaces = [
  '--mount',
  '--propagation',
  'private',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
] as const;

/**
 * The arguments of debootstrap, in namespaces of its own: what it mounts and starts ends with it, killed or not, and it
 * ends with us.
 */
export function debootstrapArgv(mirror: Mirror, target: string): readonly [string, ...string[]] {
  return [
    'setpriv',
    '--pdeathsig=KILL',
    '--',
    'unshare',
    ...ownNamespaces,
    '--',
    'debootstrap',
    '--variant=minbase',
    `--components=${mirror.components.join(',')}`,
    `--include=${packages.join(',')}`,
    mirror.suite,
    target,
    mirror.url,
  ];
}

async function place(root: string, path: string, put: (file: string) => Promise<void>): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await rm(file, { force: true });
  await put(file);
}

/** Turns what debootstrap made into something that many machines can start from. */
async function finish(root: string): Promise<void> {
  const keys = ownToEachMachine.flatMap((key) => [key, `${key}.pub`]);
  for (const path of [...trimmed, ...keys]) await rm(join(root, path), { recursive: true, force: true });
  await truncate(join(root, 'etc/machine-id'));
  for (const [path, text] of Object.entries(files)) await place(root, path, (file) => writeFile(file, text));
  for (const [path, target] of Object.entries(links))
    await place(root, path, (file) => symlink(target, file));
}

/**
 * A Debian (or Ubuntu) root file system that machines are laid over, of this machine's release and from the archive
 * that its apt is configured with. Made once: about a minute, 280 MB.
 */
export async function provideBaseRoot(deps: {
  readonly cache: Cache;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}): Promise<string> {
  const { cache, progress, signal } = deps;
  const suite = parseCodename(await readFile('/etc/os-release', 'utf8')) ?? '';
  const fill = async (folder: string): Promise<void> => {
    const root = join(folder, 'root');
    await updatePackageLists(progress, signal);
    const mirror = await readMirror(suite, signal);
    const step = { title: `make a root of Debian packages (${suite})`, estimateMs: 90_000 };
    await progress.step(step, async () => {
      await run({ argv: debootstrapArgv(mirror, root), signal });
      await finish(root);
    });
  };
  const entry = { name: 'debian/machine', key: contentKey([JSON.stringify(recipe), suite]) };
  return join(await cache.folder(entry, fill, signal), 'root');
}
