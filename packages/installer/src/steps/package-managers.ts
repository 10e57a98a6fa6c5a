import type { Argv } from '../host/index.ts';
import type { PackagesStep } from './lite-types.ts';

/** Nothing is asked for. Source: debconf(7). */
const quietly = ['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C'] as const;
/** What is there is not changed: nobody could bring it back. */
const apt = [
  ...quietly,
  'apt-get',
  '--yes',
  '--no-install-recommends',
  '--no-remove',
  '--no-upgrade',
] as const;
const dnf = ['env', 'LC_ALL=C', 'dnf', '--assumeyes', '--setopt=install_weak_deps=False'] as const;

/** The programs by which a distribution installs packages. */
export interface PackageManager {
  /** Ends the book-keeping of a run that was killed. No package is configured by it. */
  readonly settle: Argv;
  /** Ends what was interrupted of these packages. */
  readonly finish: (names: readonly string[]) => Argv;
  /** Learns what can be fetched. */
  readonly refresh: Argv;
  /** Prints what an installation would bring; `added` reads it. */
  readonly simulate: (names: readonly string[]) => Argv;
  readonly added: (printed: string) => readonly string[];
  readonly install: (names: readonly string[]) => Argv;
  readonly installFiles: (paths: readonly string[]) => Argv;
  /** Fails if something that stays needs them. */
  readonly mayRemove: (names: readonly string[]) => Argv;
  /** With what they configured. */
  readonly remove: (names: readonly string[]) => Argv;
  /** The package in a file of this name. */
  readonly packageOf: (file: string) => string;
  /** Prints the packages that are known with their state, one a line, whatever the exit code; `ii`: installed, `iU` and `iF`: not yet configured. */
  readonly states: (names: readonly string[]) => Argv;
}

export const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

/** Source: apt-get(8), dpkg-query(1), dnf(8), rpm(8); Debian Policy 5.6 on names of files. */
export const packageManagers: Readonly<Record<PackagesStep['manager'], PackageManager>> = {
  apt: {
    // It selects nothing, and has to bring the database in order first.
    settle: [...quietly, 'dpkg', '--set-selections'],
    finish: (names) => [...quietly, 'dpkg', '--configure', '--', ...names],
    refresh: [...quietly, 'apt-get', '--quiet', 'update'],
    simulate: (names) => [...apt, '--simulate', 'install', '--', ...names],
    added: (printed) => lines(printed).flatMap((line) => /^Inst (\S+)/.exec(line)?.slice(1) ?? []),
    install: (names) => [...apt, 'install', '--', ...names],
    installFiles: (paths) => [...quietly, 'dpkg', '--install', '--', ...paths],
    mayRemove: (names) => [...quietly, 'dpkg', '--simulate', '--purge', '--', ...names],
    remove: (names) => [...quietly, 'dpkg', '--purge', '--', ...names],
    packageOf: (file) => file.split('_')[0] ?? file,
    states: (names) => ['dpkg-query', '--show', '--showformat=${db:Status-Abbrev}${Package}\n', ...names],
  },
  dnf: {
    settle: ['true'],
    finish: () => ['true'],
    refresh: [...dnf, 'makecache'],
    // What they need comes and goes with them.
    simulate: (names) => ['printf', '%s\n', ...names],
    added: lines,
    install: (names) => [...dnf, 'install', ...names],
    installFiles: (paths) => ['rpm', '--install', ...paths],
    // dnf would remove what needs them.
    mayRemove: (names) => ['env', 'LC_ALL=C', 'rpm', '--erase', '--test', ...names],
    remove: (names) => [...dnf, 'remove', ...names],
    packageOf: (file) => /^(.*)-[^-]+-[^-]+\.[^.]+\.rpm$/.exec(file)?.[1] ?? file,
    states: (names) => ['rpm', '--query', '--queryformat', 'ii %{NAME}\n', ...names],
  },
};
