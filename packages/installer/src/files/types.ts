/** What is at a path, as far as it can be put back. */
export type PathState =
  | { readonly kind: 'absent' }
  | FileState
  | { readonly kind: 'folder'; readonly mode: number; readonly owner: Owner }
  /** A symbolic link, a socket, a device: nothing of ours. */
  | { readonly kind: 'other'; readonly what: string };

export interface FileState {
  readonly kind: 'file';
  /** Permission bits. */
  readonly mode: number;
  readonly owner: Owner;
  /** Of the last change, whole seconds since 1970. */
  readonly modifiedSeconds: number;
  readonly bytes: number;
  /** Of the content, hexadecimal. */
  readonly sha256: string;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface NewFile {
  readonly content: Uint8Array | string;
  /** Permission bits. */
  readonly mode: number;
  /** Default: root. */
  readonly owner?: Owner;
}

/**
 * Files of a machine, by programs that every Linux has. Whatever is written is on the disk when a call ends, whole or
 * not at all. Each call rejects with `Unavailable` if the machine is lost and with `Internal` if a program failed.
 */
export interface HostFiles {
  look(path: string, signal?: AbortSignal): Promise<PathState>;
  /** The content. Throws `NotFound` only if nothing is there; `ResourceExhausted` over `maxBytes` (default 1 MiB). */
  read(path: string, options?: { readonly maxBytes?: number }, signal?: AbortSignal): Promise<Buffer>;
  /** Makes or replaces a file. */
  write(path: string, file: NewFile, signal?: AbortSignal): Promise<void>;
  /** Adds to the end of a file, which is made if need be (mode 0600). */
  append(path: string, content: string, signal?: AbortSignal): Promise<void>;
  /** Takes away what is after so many bytes. Needs no space. */
  shorten(path: string, bytes: number, signal?: AbortSignal): Promise<void>;
  /** Keeps the file itself at `backup`, in the same folder. One that is there already is kept: it is the older one. */
  keep(path: string, backup: string, signal?: AbortSignal): Promise<void>;
  /** Puts the kept file itself in place of what is at `path`. Throws `NotFound`. */
  putBack(backup: string, path: string, signal?: AbortSignal): Promise<void>;
  /** Removes a file. Nothing happens if it is not there. */
  remove(path: string, signal?: AbortSignal): Promise<void>;
  /** Makes one folder, whose parent is there. */
  makeFolder(path: string, mode: number, signal?: AbortSignal): Promise<void>;
  /** Removes an empty folder. Nothing happens if it is not there; throws `Conflict` if it is not empty. */
  removeFolder(path: string, signal?: AbortSignal): Promise<void>;
  lookTree(path: string, signal?: AbortSignal): Promise<TreeState>;
  /** Removes all that is in a folder and, unless `keep`, the folder. What is mounted in it is unmounted. */
  removeTree(path: string, options: { readonly keep: boolean }, signal?: AbortSignal): Promise<void>;
  /** Makes a file of others on the machine. Throws `Conflict` if a field is not there, or not once. */
  compose(path: string, file: ComposedFile, signal?: AbortSignal): Promise<void>;
  /** Makes or replaces a large file, piece by piece; called again, it goes on. Throws `Corrupt` if the hash is another. */
  upload(path: string, file: LargeFile, signal?: AbortSignal): Promise<void>;
  /** When folders were changed last, seconds since 1970 with nine decimals, by path; those that are not there are not in it. */
  times(paths: readonly string[], signal?: AbortSignal): Promise<Readonly<Record<string, string>>>;
  setTimes(times: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<void>;
}

export type TreeState = 'absent' | 'empty' | 'full' | 'other';

export interface ComposedFile {
  readonly from: readonly {
    readonly path: string;
    /** Not the whole file: what this field of a kubeconfig says, base64 decoded. */
    readonly field?: string;
  }[];
  /** Permission bits. */
  readonly mode: number;
}

export interface LargeFile {
  readonly content: Uint8Array;
  /** Of the content, hexadecimal. */
  readonly sha256: string;
  /** Permission bits. */
  readonly mode: number;
}
