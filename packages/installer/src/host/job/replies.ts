/** What the attach script says, apart from what the program printed. */
export type Reply =
  | { readonly kind: 'ended'; readonly exitCode: number; readonly stdout: Buffer }
  | { readonly kind: 'again' }
  /** It was cut off. */
  | { readonly kind: 'cut' };

/** Reads what came on stdout: `new` or `begun`, then `again`, or `ended CODE` and what the program printed. Pure. */
export function parseReply(printed: Buffer): Reply {
  const first = printed.indexOf('\n');
  const second = printed.indexOf('\n', first + 1);
  if (first < 0 || second < 0) return { kind: 'cut' };
  const line = printed.subarray(first + 1, second).toString();
  if (line === 'again') return { kind: 'again' };
  const [, code] = /^ended (\d+)$/.exec(line) ?? [];
  if (code === undefined) return { kind: 'cut' };
  return { kind: 'ended', exitCode: Number(code), stdout: printed.subarray(second + 1) };
}

/** Two lines: `begun` and `ended 255`, with room. */
export const maxReplyBytes = 64;
