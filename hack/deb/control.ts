import type { Architecture } from '@selvedge/installer/release';
import type { DebPackage } from './package.ts';

/** A single executable of a release. */
export interface ReleasedProgram {
  readonly executable: Uint8Array;
  /** SemVer. */
  readonly version: string;
  readonly arch: Architecture;
}

/** What Node's executables are linked with; they are made for glibc 2.28. */
export const nodeLibraries = 'libc6 (>= 2.28), libgcc-s1 | libgcc1, libstdc++6 (>= 8)';

/** As Debian orders it: a pre-release is older than the release. Source: Debian Policy, 5.6.12. */
export const debVersion = (version: string): string => version.replaceAll('-', '~');

/** The fields that all our packages have, and `more`. */
export function controlOf(
  name: string,
  { version, arch }: ReleasedProgram,
  more: { readonly Description: string } & Readonly<Record<string, string>>,
): DebPackage['control'] {
  return {
    Package: name,
    Version: debVersion(version),
    Architecture: arch,
    Maintainer: 'Selvedge <packages@selvedge.io>',
    Section: 'admin',
    Priority: 'optional',
    ...more,
  };
}
