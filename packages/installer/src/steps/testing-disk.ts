import { createHash } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SelvedgeError, systemClock } from '@selvedge/kit';
import { type Host, createLocalHost } from '../host/index.ts';
import { type TestSystemd, createTestSystemd } from './testing-systemd.ts';

/** A folder of the test's own, and a place for a journal beside it. */
export interface TestDisk extends AsyncDisposable {
  readonly folder: string;
  readonly journal: string;
  /** This machine, with a systemd of its own and without waits for its disk: nobody pulls its plug. */
  readonly host: Host;
  readonly systemd: TestSystemd;
  /** All that is in it, by path: kind, mode, owner, time of change in nanoseconds, and of files inode and content. */
  look(): Promise<ReadonlyMap<string, string>>;
}

async function lookAt(path: string): Promise<string> {
  const { mode, uid, gid, mtimeNs, ino } = await lstat(path, { bigint: true });
  const entries = await readFile(path).catch(() => undefined);
  if (entries === undefined) return `folder ${mode.toString(8)} ${uid}:${gid} ${mtimeNs}`;
  const hash = createHash('sha256').update(entries).digest('hex');
  return `file ${mode.toString(8)} ${uid}:${gid} ${mtimeNs} ${ino} ${hash}`;
}

export async function createTestDisk(): Promise<TestDisk> {
  const own = await mkdtemp(join(tmpdir(), 'selvedge-steps-'));
  const folder = join(own, 'disk');
  const bin = join(own, 'bin');
  await Promise.all([mkdir(folder), mkdir(bin)]);
  await symlink('/bin/true', join(bin, 'sync'));
  const systemd = await createTestSystemd(bin);
  const local = createLocalHost({ clock: systemClock });
  const path = `PATH=${bin}:${process.env['PATH'] ?? ''}`;
  return {
    folder,
    journal: join(own, 'journal'),
    systemd,
    host: {
      ...local,
      run: (command, signal) => local.run({ ...command, argv: ['env', path, ...command.argv] }, signal),
    },
    async look() {
      const names = await readdir(folder, { recursive: true });
      const found = await Promise.all(
        names.toSorted().map(async (name) => [name, await lookAt(join(folder, name))] as const),
      );
      return new Map(found);
    },
    [Symbol.asyncDispose]: () => rm(own, { recursive: true }),
  };
}

/** Loses the way to the machine at one command, before or after it had its effect, and for good. */
export function losing(
  host: Host,
  at: number,
  when: 'before' | 'after',
): Host & { readonly commands: number } {
  let commands = 0;
  return {
    name: host.name,
    get commands() {
      return commands;
    },
    async run(command, signal) {
      const [number, lost] = [commands, commands >= at];
      commands += 1;
      if (!lost || (number === at && when === 'after')) {
        const result = await host.run(command, signal);
        if (!lost) return result;
      }
      throw new SelvedgeError('the machine is lost', { code: 'Unavailable' });
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}
