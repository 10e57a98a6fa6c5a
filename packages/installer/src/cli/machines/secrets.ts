import { readFile } from 'node:fs/promises';
import { SelvedgeError } from '@selvedge/kit';
import { type Prompts, unanswerable } from '../prompts.ts';

export interface SecretSource {
  /** What is asked for: `the passphrase of /home/me/.ssh/id_ed25519`. */
  readonly what: string;
  /** The file that a flag named, or a descriptor as `/dev/fd/3`. */
  readonly file?: string | undefined;
  /** Which flag that would be. */
  readonly flag: string;
}

/** A secret from a file, else from the person. Never from an argument: every user of a machine sees those. Throws `Invalid`. */
export async function readSecret(source: SecretSource, prompts: Prompts | undefined): Promise<string> {
  const { what, file, flag } = source;
  if (file !== undefined) {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new SelvedgeError(`${what} cannot be read from ${file}`, { code: 'Invalid', cause });
    });
    return text.replace(/\r?\n$/, '');
  }
  if (prompts === undefined) throw unanswerable(what, `${flag} FILE`);
  return prompts.secret(what);
}
