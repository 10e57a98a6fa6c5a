import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';

export interface ArchiveOptions {
  /** Of all documents as they are kept, compressed, in bytes. Default 8 MiB. */
  readonly maxBytes?: number;
  /** Default 256. */
  readonly maxEntries?: number;
  /** A larger one is not kept, compressed, in bytes. Default 2 MiB. */
  readonly maxDocumentBytes?: number;
}

/** One document in one of its forms. */
export interface DocumentHead {
  readonly path: string;
  /** Canonical: which form it is. */
  readonly media: string;
  /** As upstream wrote it. */
  readonly contentType: string;
  /** Undefined: upstream gave none. */
  readonly etag?: string | undefined;
  /** Of what is in it. */
  readonly hash: string;
  /** Compressed, in bytes. */
  readonly bytes: number;
}

export interface DocumentPut extends Pick<DocumentHead, 'path' | 'media' | 'contentType' | 'etag'> {
  readonly body: Uint8Array;
}

/** Documents of the API server as they were last seen, on disk. */
export interface Archive {
  /** In all their forms. */
  headsOf(path: string): readonly DocumentHead[];
  /** Gzip. The same bytes for all who have them at a time. */
  bodyOf(head: DocumentHead): Uint8Array | undefined;
  /** Replaces an older one. What says the same is not written again; the longest unused go when it is full. */
  put(document: DocumentPut): Promise<void>;
}

const headKind: RuntimeKind<DocumentHead> = { name: 'hub-document' };
/** Base64 of gzip. */
const bodyKind: RuntimeKind<string> = { name: 'hub-document-body' };

const compress = promisify<Uint8Array, { readonly level: number }, Buffer>(gzip);
const keyOf = ({ path, media }: Pick<DocumentHead, 'path' | 'media'>): string => `${path} ${media}`;

class StoredArchive implements Archive {
  readonly #runtime: RuntimeRepository;
  readonly #max: Required<ArchiveOptions>;
  /** The longest unused first. */
  readonly #heads = new Map<string, DocumentHead>();
  /** Those that somebody still has. */
  readonly #bodies = new WeakMap<DocumentHead, WeakRef<Uint8Array>>();

  constructor(max: Required<ArchiveOptions>, runtime: RuntimeRepository) {
    this.#max = max;
    this.#runtime = runtime;
    for (const { key, document } of runtime.list(headKind)) this.#heads.set(key, document);
  }

  headsOf(path: string): readonly DocumentHead[] {
    return [...this.#heads.values()].filter((head) => head.path === path);
  }

  bodyOf(head: DocumentHead): Uint8Array | undefined {
    this.#touch(head);
    const known = this.#bodies.get(head)?.deref();
    if (known !== undefined) return known;
    const text = this.#runtime.get(bodyKind, keyOf(head));
    if (text === undefined) return undefined;
    const body = Buffer.from(text, 'base64');
    this.#bodies.set(head, new WeakRef(body));
    return body;
  }

  async put({ body, ...document }: DocumentPut): Promise<void> {
    const key = keyOf(document);
    const hash = createHash('sha256').update(body).digest('base64url');
    const old = this.#heads.get(key);
    if (old?.hash === hash && old.etag === document.etag) {
      this.#touch(old);
      return;
    }
    const zipped = await compress(body, { level: constants.Z_DEFAULT_COMPRESSION });
    if (zipped.byteLength > this.#max.maxDocumentBytes) return;
    const head = { ...document, hash, bytes: zipped.byteLength };
    this.#runtime.put(bodyKind, { key, document: zipped.toString('base64') }, { durable: false });
    this.#runtime.put(headKind, { key, document: head }, { durable: false });
    this.#touch(head);
    this.#evict();
  }

  #touch(head: DocumentHead): void {
    const key = keyOf(head);
    this.#heads.delete(key);
    this.#heads.set(key, head);
  }

  #evict(): void {
    let bytes = [...this.#heads.values()].reduce((sum, head) => sum + head.bytes, 0);
    for (const [key, head] of this.#heads) {
      if (this.#heads.size <= this.#max.maxEntries && bytes <= this.#max.maxBytes) return;
      this.#heads.delete(key);
      this.#runtime.delete(headKind, key);
      this.#runtime.delete(bodyKind, key);
      bytes -= head.bytes;
    }
  }
}

export function createArchive(
  options: ArchiveOptions,
  deps: { readonly runtime: RuntimeRepository },
): Archive {
  const { maxBytes = 8 * 1024 * 1024, maxEntries = 256, maxDocumentBytes = 2 * 1024 * 1024 } = options;
  return new StoredArchive({ maxBytes, maxEntries, maxDocumentBytes }, deps.runtime);
}
