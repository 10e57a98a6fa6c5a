/** Processors as Kubernetes, Debian and image indexes name them. */
export type Architecture = 'amd64' | 'arm64';

/** One file of a release, as it was published. */
export interface Artifact {
  /** The name of the file in the folder. */
  readonly file: string;
  /** The content of the file. */
  readonly bytes: Buffer;
  /** The SHA-256 of `bytes`, hexadecimal. */
  readonly sha256: string;
  /** The version of the release, SemVer. */
  readonly version: string;
}

/**
 * The folder of a release. A file is read when it is asked for and held then, for whoever asks next. Nothing is given that is
 * not what was published. Each call throws `NotFound` if the release has no such file or the folder lacks it, and `Corrupt`
 * if it is another one.
 */
export interface Artifacts {
  /** The single executable of edge-lite. */
  edgeLite(arch: Architecture): Promise<Artifact>;
  /** The single executable of cloud-manager, for a unit beside an API server. */
  cloudManager(arch: Architecture): Promise<Artifact>;
  /** The image of cloud-manager: an OCI image layout in a tar, for `ctr images import`. */
  managerImage(arch: Architecture): Promise<Artifact>;
  /** The image in which programs of a node are run where there is no SSH, in the same form. */
  nodeShellImage(arch: Architecture): Promise<Artifact>;
}

/** The SHA-256 of each file of a release, hexadecimal, by the name of the file. */
export type Digests = ReadonlyMap<string, string>;

/** What `openArtifacts` reads with. */
export interface ArtifactsDeps {
  /** Reads the content of a file. Rejects as node:fs does. */
  readonly readFile: (path: string) => Promise<Buffer>;
  /** The expected digests; undefined: those in `SHA256SUMS` of the folder. Default: `releasedDigests`. */
  readonly digests?: Digests | undefined;
}
