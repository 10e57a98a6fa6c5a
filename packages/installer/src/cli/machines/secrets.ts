import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SelvedgeError } from '@selvedge/kit';
import { type Prompts, unanswerable } from '../prompts.ts';

export interface SecretSource {
  /** What is asked for: `the passphrase of /home/me/.ssh/id_ed25519`. */
  readonly what: string;
  /** The file that a flag named, or a descriptor as `/dev/fd/3`; `-` with `stdin` given. */
  readonly file?: string | undefined;
  /** Which flag that would be. */
  readonly flag: string;
  /** What `-` means. Read as a stream: behind SSH it may be a socket, which `/dev/stdin` does not open. */
  readonly stdin?: Readable;
}

/** A secret from a file, else from the person. Never from an argument: every user of a machine sees those. Throws `Invalid`. */
export async function readSecret(source: SecretSource, prompts: Prompts | undefined): Promise<string> {
  const { what, file, flag, stdin } = source;
  if (file !== undefined) {
    const reading = file === '-' && stdin !== undefined ? text(stdin) : readFile(file, 'utf8');
    const content = await reading.catch((cause: unknown) => {
      throw new SelvedgeError(`cannot read ${what} from ${file}`, { code: 'Invalid', cause });
    });
    return content.replace(/\r?\n$/, '');
  }
  if (prompts === undefined) throw unanswerable(what, `${flag} FILE`);
  return prompts.secret(what);
}
