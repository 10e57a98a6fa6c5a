/** The header and the debug data in which one end tells the other why. */
export const reasonHeader = 'selvedge-reason';

/** Bytes of a reason on the wire; a longer one is cut. */
export const maxReasonBytes = 512;

const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== 0x25;

/** A reason as a header value: printable ASCII, anything else and `%` as `%XX` of its UTF-8. */
export function encodeReason(reason: string): string {
  let text = '';
  for (const character of reason.toWellFormed().trim()) {
    let piece = '';
    for (const byte of Buffer.from(character)) {
      piece += isPlain(byte)
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    }
    if (text.length + piece.length > maxReasonBytes) break;
    text += piece;
  }
  return text;
}

/** A reason that came, as text that is safe to show: never throws, without control characters, cut to its cap. */
export function decodeReason(value: unknown): string {
  if (typeof value !== 'string') return '';
  const bytes = value
    .slice(0, maxReasonBytes)
    .replaceAll(/%([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ').trim();
}
