import { createHash } from 'node:crypto';

export const hashDigits = 10;
const space = 36n ** BigInt(hashDigits);

/** 51 bits of SHA-256, in ten characters of `0-9a-z`. Pure. */
export function hashOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  return (BigInt(`0x${bytes.toString('hex')}`) % space).toString(36).padStart(hashDigits, '0');
}
