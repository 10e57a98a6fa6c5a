import type { SupportDumpResult } from './types.ts';

/** For the terminal. */
export function describeSupportDump({ file, bytes, entries, missing }: SupportDumpResult): string {
  const kibibytes = Math.ceil(bytes / 1_024);
  const lines = missing.map(({ what, why }) => `not in it: ${what}: ${why}`);
  return [
    ...lines,
    `${file}: ${entries.length} files, ${kibibytes} KiB. Secrets were taken out; read it before you give it away`,
  ].join('\n');
}
