import { SelvedgeError } from '@selvedge/kit';

export function invalidPatch(why: string): SelvedgeError {
  return new SelvedgeError(`the patch does not apply: ${why}`, { code: 'Invalid' });
}
