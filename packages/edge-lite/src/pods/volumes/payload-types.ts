export interface ProjectedFile {
  readonly data: Buffer;
  readonly mode: number;
  /** Who owns it, unless root. */
  readonly uid?: number;
}

/** Files by their path in the volume. */
export type Payload = ReadonlyMap<string, ProjectedFile>;
