/** A file that a generator makes; `path` is relative to the repository's root. */
export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
}

export interface Generator {
  readonly name: string;
  /** The folder that it owns, relative to the repository's root: no other files belong there. */
  readonly folder: string;
  /** Computes the files without writing them. `root` is the repository's absolute path with a trailing slash. */
  generate(root: string): Promise<readonly GeneratedFile[]>;
}
