import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { runUnchecked } from './command.ts';

/** What a machine is like, as far as it matters here. */
export interface MachineFacts {
  readonly uid: number;
  /** As Node names it: `linux-x64`. */
  readonly platform: string;
  readonly nodeVersion: string;
  /** Free on the file system of the caches. */
  readonly freeDiskBytes: number;
  /** Nothing has been built yet, so that all the room is still needed. */
  readonly firstRun: boolean;
  /** Programs on the PATH. */
  readonly programs: ReadonlySet<string>;
  /** `1.26.8`; undefined without Go. */
  readonly goVersion: string | undefined;
  /** Where ready binaries are, and which are not there. */
  readonly given: { readonly folder: string; readonly missing: readonly string[] } | undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function programsOf(path: string, names: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await Promise.all(
    names.map(async (name) => {
      const files = path.split(delimiter).map((folder) => isExecutable(join(folder, name)));
      return (await Promise.all(files)).includes(true) ? name : undefined;
    }),
  );
  return new Set(found.filter((name) => name !== undefined));
}

/** `go version go1.26.8 linux/amd64` → `1.26.8`. */
export function parseGoVersion(output: string): string | undefined {
  return /\bgo(\d+\.\d+(?:\.\d+)?)/.exec(output)?.[1];
}

async function askGoVersion(): Promise<string | undefined> {
  // Outside of any module, where no `toolchain` line can lead to a download.
  const env = { GOTOOLCHAIN: 'local' };
  const asked = await runUnchecked({ argv: ['go', 'version'], cwd: '/', env }).catch(() => undefined);
  return asked === undefined ? undefined : parseGoVersion(asked.stdout);
}

export interface FactsOptions {
  /** The value of `PATH`. */
  readonly path: string;
  /** Programs to look for. */
  readonly programs: readonly string[];
  readonly cacheFolder: string;
  readonly firstRun: boolean;
  readonly given: MachineFacts['given'];
}

export async function readFacts(options: FactsOptions): Promise<MachineFacts> {
  await mkdir(options.cacheFolder, { recursive: true });
  const room = await statfs(options.cacheFolder);
  return {
    uid: process.getuid?.() ?? -1,
    platform: `${process.platform}-${process.arch}`,
    nodeVersion: process.versions.node,
    freeDiskBytes: room.bavail * room.bsize,
    firstRun: options.firstRun,
    programs: await programsOf(options.path, options.programs),
    goVersion: await askGoVersion(),
    given: options.given,
  };
}
