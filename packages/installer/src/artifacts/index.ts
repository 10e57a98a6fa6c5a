export { architectureOf, architectures } from './architectures.ts';
export { checksumsFile, parseChecksums, renderChecksums } from './checksums.ts';
export { type ArtifactKind, artifactName } from './names.ts';
export { openArtifacts } from './open.ts';
export type { Architecture, Artifact, Artifacts, ArtifactsDeps, Digests } from './types.ts';
