import { expect, test } from 'vitest';
import type { SqlDatabase } from './driver.ts';
import { loadDriver } from './drivers.ts';
import { createTransactions } from './writer.ts';

const openDatabase = await loadDriver('node');

/** A real database that also remembers what was executed. */
function recorded(): { readonly database: SqlDatabase; readonly executed: string[] } {
  const executed: string[] = [];
  const database = openDatabase(':memory:');
  database.exec('CREATE TABLE t (a INTEGER)');
  const exec = (sql: string): void => {
    executed.push(sql);
    database.exec(sql);
  };
  return { database: { ...database, exec }, executed };
}

test('synchronous is set before the transaction and only when it changes', () => {
  const { database, executed } = recorded();
  const write = createTransactions(database);
  const insert = database.prepare('INSERT INTO t VALUES (1)');
  for (const durable of [false, true, true, false]) write({ durable }, () => insert.run());
  const transaction = ['BEGIN IMMEDIATE', 'COMMIT'];
  expect(executed).toEqual([
    ...transaction,
    'PRAGMA synchronous = FULL',
    ...transaction,
    ...transaction,
    'PRAGMA synchronous = NORMAL',
    ...transaction,
  ]);
});

test('a durable write that finds everything written already syncs what was not', () => {
  const { database, executed } = recorded();
  const write = createTransactions(database);
  const insert = database.prepare('INSERT INTO t VALUES (1)');
  const syncs = (): number => executed.filter((sql) => sql.includes('wal_checkpoint')).length;
  write({ durable: true }, () => insert.run());
  write({ durable: true }, () => undefined);
  expect(syncs()).toBe(0);
  write({ durable: false }, () => insert.run());
  write({ durable: true }, () => undefined);
  write({ durable: true }, () => undefined);
  expect(syncs()).toBe(1);
});

test('a failure rolls back and the next write works', () => {
  const { database } = recorded();
  const write = createTransactions(database);
  const insert = database.prepare('INSERT INTO t VALUES (1)');
  const fail = (): void => {
    insert.run();
    throw new RangeError('no');
  };
  expect(() => write({ durable: false }, fail)).toThrow('no');
  write({ durable: false }, () => insert.run());
  expect(database.prepare('SELECT a FROM t').all()).toHaveLength(1);
});
