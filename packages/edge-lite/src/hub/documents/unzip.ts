import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';

const unzip = promisify(gunzip);

/** Undefined: it becomes larger than `maxBytes`, or is no gzip. */
export async function unzipped(zipped: Uint8Array, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    return await unzip(zipped, { maxOutputLength: maxBytes });
  } catch {
    return undefined;
  }
}

/** The same, at once: for what is small. */
export function unzippedNow(zipped: Uint8Array, maxBytes: number): Buffer | undefined {
  try {
    return gunzipSync(zipped, { maxOutputLength: maxBytes });
  } catch {
    return undefined;
  }
}
