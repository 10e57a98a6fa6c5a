import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Program, bundleOf, programNames, programs } from './programs.ts';
import { type CommandResult, run, runUnchecked } from './setup/index.ts';

/** Writes, as the program ends, which of Node's own modules it has loaded. */
const spy = `process.on('exit', () =>
  require('node:fs').writeFileSync(process.env.MODULES_FILE, JSON.stringify(process.moduleLoadList)));`;

describe('the bundles', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'selvedge-build-'));
    await writeFile(join(folder, 'spy.cjs'), spy);
    await run({ argv: [process.execPath, join(import.meta.dirname, 'build.ts')] });
  });

  afterAll(() => rm(folder, { recursive: true }));

  /** Runs one where nothing is installed; resolves to its output and the modules of Node that it has loaded. */
  async function start(
    program: Program,
    ...args: readonly string[]
  ): Promise<CommandResult & { readonly modules: string[] }> {
    const modulesFile = join(folder, 'modules.json');
    const result = await runUnchecked({
      argv: [process.execPath, bundleOf(program), ...args],
      cwd: folder,
      env: { NODE_OPTIONS: `--require=${join(folder, 'spy.cjs')}`, MODULES_FILE: modulesFile },
    });
    return { ...result, modules: JSON.parse(await readFile(modulesFile, 'utf8')) as string[] };
  }

  describe.each(programNames)('%s', (program) => {
    it('is one file that is not too large', async () => {
      expect((await stat(bundleOf(program))).size).toBeLessThanOrEqual(programs[program].maxBytes);
    });

    it('tells its version and how to use it', async () => {
      expect((await start(program, '--version')).stdout).toMatch(/\d+\.\d+\.\d+/);
      expect((await start(program, '--help')).stdout).toContain(program);
    });
  });

  describe.each(['edge-lite', 'cloud-manager'] as const)('%s, which goes on', (program) => {
    it('loads no undici, which would cost 13 MB', async () => {
      // All of a program is loaded before its configuration is read.
      const { exitCode, modules } = await start(program, 'run', '--config', join(folder, 'absent.yaml'));
      expect(exitCode).toBe(2);
      expect(modules).toContain('NativeModule http2');
      expect(modules.filter((name) => name.includes('undici'))).toEqual([]);
    });
  });
});
