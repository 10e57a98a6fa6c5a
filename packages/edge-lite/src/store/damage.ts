import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { type Logger, type SelvedgeError, hasCode } from '@selvedge/kit';
import type { BodyCodec } from './body.ts';
import type { SqlDatabase, SqlStatement } from './driver.ts';

/** Remembers over a restart that a state file was found damaged. */
export interface DamageReport {
  /** Rejects once damage is found: the process must restart, and sets the file aside then. */
  readonly found: Promise<never>;
  /** Runs `work`; a `Corrupt` error of it is damage. */
  readonly watch: <T>(work: () => T) => T;
  /** Something else that only a restart helps. */
  readonly report: (error: unknown) => void;
}

const markerOf = (path: string): string => `${path}.suspect`;

export const isSuspect = (path: string): boolean => existsSync(markerOf(path));

export const clearSuspicion = (path: string): void => rmSync(markerOf(path), { force: true });

/** What integrity checks may miss is to be found again at the next start: the mark is enough to set the file aside. */
export function createDamageReport(path: string, { log }: { readonly log: Logger }): DamageReport {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  let known = false;
  const mark = (error: SelvedgeError): void => {
    if (known) return;
    known = true;
    log.error('the state is damaged: restarting to save what can be read', { error });
    try {
      writeFileSync(markerOf(path), `${error.message}\n`, { mode: 0o600 });
    } catch (failure) {
      log.error('the damage could not be marked', { error: failure });
    }
    reject(error);
  };
  return {
    found: promise,
    watch(work) {
      try {
        return work();
      } catch (error) {
        if (hasCode(error, 'Corrupt')) mark(error);
        throw error;
      }
    },
    report: reject,
  };
}

/** The same database, but damage is reported. */
export function watchedDatabase(database: SqlDatabase, { watch }: DamageReport): SqlDatabase {
  const prepare = (sql: string): SqlStatement => {
    const statement = watch(() => database.prepare(sql));
    return {
      run: (...values) => watch(() => statement.run(...values)),
      get: (...values) => watch(() => statement.get(...values)),
      all: (...values) => watch(() => statement.all(...values)),
      each: (take, ...values) => watch(() => statement.each(take, ...values)),
    };
  };
  return { exec: (sql) => watch(() => database.exec(sql)), prepare, close: () => database.close() };
}

export function watchedCodec(codec: BodyCodec, { watch }: DamageReport): BodyCodec {
  return {
    encode: (row, json, sealed) => codec.encode(row, json, sealed),
    decode: (row, body) => watch(() => codec.decode(row, body)),
  };
}
