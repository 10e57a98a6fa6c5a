import { loadBetterSqlite3 } from './better-sqlite3.ts';
import type { DriverName, OpenDatabase } from './driver.ts';
import { loadNodeSqlite } from './node-sqlite.ts';

/** Loads one driver, and only that one. */
export function loadDriver(name: DriverName): Promise<OpenDatabase> {
  return name === 'node' ? loadNodeSqlite() : loadBetterSqlite3();
}
