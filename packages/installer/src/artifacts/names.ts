import type { Architecture } from './types.ts';

/** What a release consists of, as far as the installer takes it to machines. */
export type ArtifactKind = 'edge-lite' | 'cloud-manager' | 'node-shell';

const suffixes: Readonly<Record<ArtifactKind, string>> = {
  'edge-lite': '',
  'cloud-manager': '.tar',
  'node-shell': '.tar',
};

/** `edge-lite_0.4.0_linux_arm64`, `cloud-manager_0.4.0_linux_amd64.tar`. */
export function artifactName(
  kind: ArtifactKind,
  { version, arch }: { readonly version: string; readonly arch: Architecture },
): string {
  return `${kind}_${version}_linux_${arch}${suffixes[kind]}`;
}

/** The version in the name of such a file; undefined if it is another file. */
export function versionIn(file: string, kind: ArtifactKind, arch: Architecture): string | undefined {
  const [start, end] = [`${kind}_`, `_linux_${arch}${suffixes[kind]}`];
  if (!file.startsWith(start) || !file.endsWith(end)) return undefined;
  const version = file.slice(start.length, -end.length);
  return /^\d+\.\d+\.\d+[-+.0-9A-Za-z]*$/.test(version) ? version : undefined;
}
