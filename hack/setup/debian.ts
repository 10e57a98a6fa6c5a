import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '@selvedge/kit';
import { type Command, run, runUnchecked } from './command.ts';
import type { Progress } from './progress.ts';

/** What the testbed needs from Debian or Ubuntu. None of these starts a service. */
export const debianPackages: readonly string[] = [
  'apache2-utils',
  'busybox-static',
  'ca-certificates',
  'conntrack',
  'containernetworking-plugins',
  'curl',
  'debootstrap',
  'gcc',
  'git',
  'iproute2',
  'iptables',
  'libc6-arm64-cross',
  'libc6-dev',
  'libseccomp2',
  'libstdc++6-arm64-cross',
  'nftables',
  'openssh-client',
  'procps',
  'qemu-user-static',
  'skopeo',
  'tmux',
];

export interface DebianOptions {
  readonly packages: readonly string[];
  /** Where the names of the packages that we installed are kept. */
  readonly stateFolder: string;
  readonly signal?: AbortSignal | undefined;
}

const noninteractive = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' };

/** The names of installed packages in the output of `dpkg-query -f '${db:Status-Status} ${Package}\n'`. */
export function parseInstalled(output: string): ReadonlySet<string> {
  const lines = output.split('\n').filter((line) => line.startsWith('installed '));
  return new Set(lines.map((line) => line.slice('installed '.length).trim()));
}

async function installedPackages(
  names: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const format = '--showformat=${db:Status-Status} ${Package}\\n';
  const { stdout } = await runUnchecked({ argv: ['dpkg-query', '--show', format, ...names], signal });
  return parseInstalled(stdout);
}

/** Those of `packages` that are not installed. */
export async function missingPackages(
  packages: readonly string[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const installed = await installedPackages(packages, signal);
  return packages.filter((name) => !installed.has(name));
}

const recordFile = (stateFolder: string): string => join(stateFolder, 'debian-packages');

/** The packages that `installMissing` brought to this machine, dependencies included. */
export async function recordedPackages(stateFolder: string): Promise<readonly string[]> {
  try {
    const text = await readFile(recordFile(stateFolder), 'utf8');
    return [...new Set(text.split('\n').filter((line) => line !== ''))].toSorted();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Reads the package lists anew. */
export async function updatePackageLists(progress: Progress, signal?: AbortSignal): Promise<void> {
  const step = { title: 'apt-get update', estimateMs: 15_000 };
  const argv = ['apt-get', '--quiet', 'update'] as const;
  await progress.step(step, () => run({ argv, env: noninteractive, signal }));
}

/**
 * Runs apt-get as it is, and once more with new package lists if it fails: mostly they are good enough, and reading
 * them anew takes longer than the rest.
 */
export async function aptGet(
  command: Omit<Command, 'argv'> & { readonly args: readonly string[] },
  progress: Progress,
): Promise<void> {
  const { args, ...options } = command;
  const apt = { ...options, argv: ['apt-get', '--quiet', ...args], env: noninteractive } as const;
  if ((await runUnchecked(apt)).exitCode === 0) return;
  await updatePackageLists(progress, command.signal);
  await run(apt);
}

/** Installs what is missing and records all that it brought; does nothing otherwise. */
export async function installMissing(options: DebianOptions, deps: { progress: Progress }): Promise<void> {
  const { signal, stateFolder } = options;
  const missing = await missingPackages(options.packages, signal);
  if (missing.length === 0) return;
  const before = await installedPackages([], signal);
  const step = {
    title: `install Debian packages: ${missing.join(' ')}`,
    estimateMs: 15_000 + missing.length * 3_000,
  };
  const args = ['install', '--yes', '--no-install-recommends', ...missing];
  try {
    await deps.progress.step(step, () => aptGet({ args, signal }, deps.progress));
  } finally {
    const after = await installedPackages([]);
    const added = [...after].filter((name) => !before.has(name));
    await mkdir(stateFolder, { recursive: true });
    await appendFile(recordFile(stateFolder), added.map((name) => `${name}\n`).join(''));
  }
}
