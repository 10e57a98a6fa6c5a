import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Architecture } from '@selvedge/installer/release';
import { run } from '../setup/index.ts';
import { stripped } from './elf.ts';
import { nodeFor } from './runtime.ts';

export interface ExecutableOptions {
  /** The program in one CommonJS file. */
  readonly bundle: string;
  readonly arch: Architecture;
  /** The executable that is written, mode 0755. */
  readonly outfile: string;
  /** Flags of Node and V8 that it starts with. It takes no others, neither as arguments nor from `NODE_OPTIONS`. */
  readonly flags?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** How Node finds in itself what it shall run. Source: Node.js documentation, "Single executable applications". */
const resource = 'NODE_SEA_BLOB';
const sentinelFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** A program of its own: it tells of much that it cannot read in what was stripped, and needs none of it. */
const postject = createRequire(import.meta.url).resolve('postject/dist/cli.js');

/**
 * Makes the file that is put into the executable. Without a code cache it is the same for every processor; the name of the
 * program's file is in it, so it is always the same one.
 */
async function makeBlob({ bundle, flags = [], signal }: ExecutableOptions, folder: string): Promise<string> {
  const [main, config, output] = ['program.cjs', 'sea.json', 'sea.blob'];
  const settings = {
    main,
    output,
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    execArgv: flags,
    execArgvExtension: 'none',
  };
  await copyFile(bundle, join(folder, main));
  await writeFile(join(folder, config), JSON.stringify(settings));
  await run({ argv: [process.execPath, '--experimental-sea-config', config], cwd: folder, signal });
  return join(folder, output);
}

/**
 * Makes a program and the Node that it runs on one executable; resolves to its size in bytes. The same bundle, flags and
 * Node give the same bytes.
 */
export async function buildExecutable(options: ExecutableOptions): Promise<number> {
  const { arch, outfile, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-sea-'));
  try {
    const blob = await makeBlob(options, folder);
    const program = join(folder, 'program');
    await writeFile(program, stripped(await readFile(nodeFor(arch))), { mode: 0o755 });
    const argv = [
      process.execPath,
      postject,
      program,
      resource,
      blob,
      '--sentinel-fuse',
      sentinelFuse,
    ] as const;
    await run({ argv, signal });
    await copyFile(program, outfile);
    return (await stat(outfile)).size;
  } finally {
    await rm(folder, { recursive: true });
  }
}
