import type { Architecture } from './types.ts';

/** What a release consists of, as far as the installer takes it to machines. */
export type ArtifactKind = 'edge-lite' | 'cloud-manager' | 'cloud-manager-program' | 'node-shell';

/** What a name begins and ends with. */
const forms: Readonly<Record<ArtifactKind, readonly [stem: string, suffix: string]>> = {
  'edge-lite': ['edge-lite', ''],
  'cloud-manager': ['cloud-manager', '.tar'],
  'cloud-manager-program': ['cloud-manager', ''],
  'node-shell': ['node-shell', '.tar'],
};

/** `edge-lite_0.4.0_linux_arm64`, `cloud-manager_0.4.0_linux_amd64.tar`. */
export function artifactName(
  kind: ArtifactKind,
  { version, arch }: { readonly version: string; readonly arch: Architecture },
): string {
  const [stem, suffix] = forms[kind];
  return `${stem}_${version}_linux_${arch}${suffix}`;
}

/** The version in the name of such a file; undefined if it is another file. */
export function versionIn(file: string, kind: ArtifactKind, arch: Architecture): string | undefined {
  const [stem, suffix] = forms[kind];
  const [start, end] = [`${stem}_`, `_linux_${arch}${suffix}`];
  if (!file.startsWith(start) || !file.endsWith(end)) return undefined;
  const version = file.slice(start.length, -end.length);
  return /^\d+\.\d+\.\d+[-+.0-9A-Za-z]*$/.test(version) ? version : undefined;
}
