import { SelvedgeError } from '@selvedge/kit';
import type { Digests } from './types.ts';

export const checksumsFile = 'SHA256SUMS';

const line = /^(?<sha256>[0-9a-f]{64}) [ *](?<file>[^/\0\n]+)$/;

/** A list that `sha256sum --check` reads, in the order of the names. */
export function renderChecksums(digests: Digests): string {
  return [...digests]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, sha256]) => `${sha256}  ${file}\n`)
    .join('');
}

/** Reads such a list. Names are of the same folder, each once. Throws `Corrupt`. */
export function parseChecksums(text: string): Digests {
  const digests = new Map<string, string>();
  const lines = text.split('\n');
  for (const [index, one] of lines.entries()) {
    if (one === '' && index === lines.length - 1) break;
    const { file, sha256 } = line.exec(one)?.groups ?? {};
    if (file === undefined || sha256 === undefined || digests.has(file)) {
      const message = `line ${index + 1} of ${checksumsFile} is not a checksum with a file name, or repeats a name`;
      throw new SelvedgeError(message, { code: 'Corrupt', hint: 'download the release again' });
    }
    digests.set(file, sha256);
  }
  return digests;
}
