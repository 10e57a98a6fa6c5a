import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { SelvedgeError } from '@selvedge/kit';

/** Keeps secret bytes unreadable on a stolen disk without its key, and tied to the row that they were sealed for. */
export interface Sealer {
  seal(row: string, plain: Uint8Array): Uint8Array;
  /** Throws `Corrupt` when the key, the row or a byte is not the one it was sealed with. */
  open(row: string, sealed: Uint8Array): Uint8Array;
}

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
export const sealKeyBytes = 32;

/** The row cannot be swapped for another, nor can an old version of the envelope pass as a new one. */
const associated = (row: string): Buffer => Buffer.from(`selvedge seal ${version}\0${row}`);

/**
 * AES-256-GCM (NIST SP 800-38D). Envelope: version byte 1, 12 bytes of random nonce, ciphertext, 16 bytes of tag.
 * The row's key is authenticated, not stored.
 */
export function createSealer(key: Uint8Array): Sealer {
  if (key.length !== sealKeyBytes) {
    throw new SelvedgeError(`a seal key has ${sealKeyBytes} bytes, this one ${key.length}`, {
      code: 'Corrupt',
    });
  }
  return {
    seal(row, plain) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated(row));
      const body = [cipher.update(plain), cipher.final()];
      return Buffer.concat([Uint8Array.of(version), nonce, ...body, cipher.getAuthTag()]);
    },
    open(row, sealed) {
      if (sealed[0] !== version || sealed.length < 1 + nonceBytes + tagBytes) {
        const message = `sealed row ${row} has an unknown envelope (version ${sealed[0] ?? 'none'})`;
        throw new SelvedgeError(message, { code: 'Corrupt' });
      }
      const nonce = sealed.subarray(1, 1 + nonceBytes);
      const tag = sealed.subarray(sealed.length - tagBytes);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(associated(row)).setAuthTag(tag);
      try {
        const body = sealed.subarray(1 + nonceBytes, sealed.length - tagBytes);
        return Buffer.concat([decipher.update(body), decipher.final()]);
      } catch (cause) {
        const message = `sealed row ${row} does not open with this node's seal key`;
        throw new SelvedgeError(message, { code: 'Corrupt', cause });
      }
    },
  };
}
