import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { openRun, runName } from './run.ts';
import type { RemoveDeps } from './remove-run.ts';

/** Only a run that made beds has to load what takes them down. Vitest waits in vain for workers that were killed. */
const deps: RemoveDeps = {
  clock: systemClock,
  exceptChildrenOf: process.pid,
  removeBed: async (name) => {
    const { Bed } = await import('../bed.ts');
    await Bed.down(name);
  },
};

/** When vitest is interrupted, it exits at once, without any teardown. */
function removeAtExit(folder: string): Disposable {
  const program = join(import.meta.dirname, 'main.ts');
  const { TMPDIR: _own, ...env } = process.env;
  const onExit = (): void => {
    spawnSync(process.execPath, [program, folder], { env, stdio: 'inherit' });
  };
  process.once('exit', onExit);
  return { [Symbol.dispose]: () => process.off('exit', onExit) };
}

/** A run for each vitest: first of the global setups. Projects of one process share it. */
export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  if (runName().startsWith(`selvedge-run-${process.pid}-`)) return undefined;
  const outer = process.env['TMPDIR'];
  const run = await openRun({}, deps);
  const atExit = removeAtExit(run.folder);
  process.env['TMPDIR'] = run.folder;
  // Programs that start over and over compile what they are made of once.
  process.env['NODE_COMPILE_CACHE'] = join(run.folder, 'compiled');
  return async () => {
    if (outer === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = outer;
    delete process.env['NODE_COMPILE_CACHE'];
    await run[Symbol.asyncDispose]();
    atExit[Symbol.dispose]();
  };
}
