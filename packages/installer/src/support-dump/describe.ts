import type { SupportDumpResult } from './types.ts';

/** For the terminal. */
export function describeSupportDump({ file, bytes, entries, missing }: SupportDumpResult): string {
  const kibibytes = Math.ceil(bytes / 1_024);
  const lines = missing.map(({ what, why }) => `not included: ${what}: ${why}`);
  return [
    ...lines,
    `${file}: ${entries.length} files, ${kibibytes} KiB. Secrets are redacted; review it before you share it`,
  ].join('\n');
}
