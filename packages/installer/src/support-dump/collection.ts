import { messageOf } from '@selvedge/kit';
import { redactJson, redactText } from './redact.ts';
import { type DumpedFile, type MissingPart, dumpDefaults } from './types.ts';

export interface CollectedFile extends DumpedFile {
  readonly content: Buffer;
}

export interface CollectionLimits {
  readonly maxFileBytes: number;
  readonly maxBytes: number;
}

/** What goes into the archive: without secrets, and bounded. */
export interface Collection {
  readonly files: readonly CollectedFile[];
  readonly missing: readonly MissingPart[];
  /** Adds a text; of one that is too large its end. */
  addText(path: string, text: string): void;
  addJson(path: string, value: unknown): void;
  miss(what: string, error: unknown): void;
  /** Adds what `read` gives, or why it gave nothing. Rejects only if `signal` is aborted. */
  add(path: string, read: () => Promise<unknown>, signal: AbortSignal): Promise<void>;
}

export function createCollection(limits: CollectionLimits = dumpDefaults): Collection {
  const files: CollectedFile[] = [];
  const missing: MissingPart[] = [];
  let held = 0;
  const miss = (what: string, error: unknown): void => {
    missing.push({ what, why: redactText(messageOf(error)) });
  };
  const put = (path: string, text: string): void => {
    const all = Buffer.from(text);
    const content = all.subarray(Math.max(0, all.length - limits.maxFileBytes));
    if (held + content.length > limits.maxBytes) {
      return miss(path, `the archive would exceed ${limits.maxBytes} bytes`);
    }
    held += content.length;
    files.push({ path, bytes: content.length, cut: content.length < all.length, content });
    return undefined;
  };
  const addText = (path: string, text: string): void => put(path, redactText(text));
  const addJson = (path: string, value: unknown): void =>
    put(path, `${JSON.stringify(redactJson(value), undefined, 2)}\n`);
  return {
    files,
    missing,
    addText,
    addJson,
    miss,
    async add(path, read, signal) {
      try {
        const found = await read();
        if (typeof found === 'string') addText(path, found);
        else addJson(path, found);
      } catch (error) {
        signal.throwIfAborted();
        miss(path, error);
      }
    },
  };
}
