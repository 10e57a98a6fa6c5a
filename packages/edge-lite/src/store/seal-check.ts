import { SelvedgeError } from '@selvedge/kit';
import type { SqlDatabase } from './driver.ts';
import type { Sealer } from './seal.ts';
import type { Writer } from './writer.ts';

const row = 'seal_check';

export interface SealCheckDeps {
  readonly database: SqlDatabase;
  readonly sealer: Sealer;
  readonly write: Writer;
}

/** Proves at start that the key is the one which sealed this database, not at the first secret that is needed. */
export function checkSeal(
  options: { readonly path: string; readonly sealKeyPath: string },
  { database, sealer, write }: SealCheckDeps,
): void {
  const known = database.prepare('SELECT body FROM seal_check').get()?.['body'];
  if (known instanceof Uint8Array) {
    try {
      sealer.open(row, known);
      return;
    } catch (cause) {
      throw new SelvedgeError(`${options.sealKeyPath} is not the key that sealed ${options.path}`, {
        code: 'Corrupt',
        cause,
        hint: `what it sealed can be read with the old key only`,
      });
    }
  }
  const insert = database.prepare('INSERT INTO seal_check (id, body) VALUES (1, ?)');
  const sealed = sealer.seal(row, Buffer.from('selvedge'));
  write({ durable: true }, () => insert.run(sealed));
}
