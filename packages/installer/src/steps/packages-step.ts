import { SelvedgeError } from '@selvedge/kit';
import type { HostFiles } from '../files/index.ts';
import type { Argv, Host } from '../host/index.ts';
import { journalPlace } from '../journal/index.ts';
import { hashOf } from './before.ts';
import type { Executor, ExecutorDeps, Sources } from './executor.ts';
import type { PackagesStep } from './lite-types.ts';
import { type PackageManager, lines, packageManagers } from './package-managers.ts';
import { runOrThrow } from './run-or-throw.ts';

/** A mirror may be slow. */
const timeoutMs = 600_000;
/** Where files of packages lie while they are installed. */
const folder = `${journalPlace().folder}/packages`;

const fetchHint =
  'give this machine access to the mirrors of its distribution, or put the package files into packages/ in the --artifacts folder';

/** Those of some packages of which something is there, and of them those that are installed, or not yet configured. */
type PackageStates = Readonly<Record<'known' | 'installed' | 'unfinished', readonly string[]>>;

async function statesOf(
  { host, manager }: { readonly host: Host; readonly manager: PackageManager },
  names: readonly string[],
  signal: AbortSignal,
): Promise<PackageStates> {
  if (names.length === 0) return { known: [], installed: [], unfinished: [] };
  const { stdout } = await host.run({ argv: manager.states(names) }, signal);
  const states = lines(stdout.toString()).flatMap((line) => {
    const [, state = '', name = ''] = /^(..)\s*(\S+)$/.exec(line) ?? [];
    return state === '' || state === 'un' ? [] : [{ state, name }];
  });
  const of = (wanted: RegExp): readonly string[] =>
    states.flatMap(({ state, name }) => (wanted.test(state) ? [name] : []));
  return { known: of(/./), installed: of(/^ii/), unfinished: of(/^i[UF]/) };
}

/** What an installation by name would bring. */
async function simulated(
  { host, manager }: { readonly host: Host; readonly manager: PackageManager },
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    await runOrThrow(host, { argv: manager.refresh, timeoutMs }, signal);
    return manager.added(await runOrThrow(host, { argv: manager.simulate(names), timeoutMs }, signal));
  } catch (cause) {
    signal.throwIfAborted();
    const message = `cannot download ${names.join(', ')} on ${host.name}`;
    throw new SelvedgeError(message, { code: 'Unavailable', cause, hint: fetchHint });
  }
}

/** Brings files of packages to the machine; their paths there. */
async function bring(
  { files, sources }: { readonly files: HostFiles; readonly sources: Sources },
  archives: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  await files.removeTree(folder, { keep: false }, signal);
  await files.makeFolder(folder, 0o700, signal);
  for (const archive of archives) {
    const content = await sources(archive, signal);
    await files.upload(`${folder}/${archive}`, { content, sha256: hashOf(content), mode: 0o600 }, signal);
  }
  return archives.map((archive) => `${folder}/${archive}`);
}

/**
 * Those of the packages that came with a step that are there. Throws `Conflict` if something that stays needs them: somebody may
 * have installed it since.
 */
export async function removablePackages(
  host: Host,
  { manager: name, came }: { readonly manager: PackagesStep['manager']; readonly came: readonly string[] },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const manager = packageManagers[name];
  const { known } = await statesOf({ host, manager }, came, signal);
  if (known.length === 0) return known;
  const { exitCode, stderr } = await host.run({ argv: manager.mayRemove(known), timeoutMs }, signal);
  if (exitCode === 0) return known;
  throw new SelvedgeError(`other packages on ${host.name} need ${known.join(', ')}`, {
    code: 'Conflict',
    cause: new Error(stderr.toString().trim()),
    hint: 'remove those first if they are no longer needed, then run the same command again',
  });
}

export function packagesExecutor({ host, files, sources }: ExecutorDeps): Executor<PackagesStep> {
  const run = (argv: Argv, signal: AbortSignal): Promise<string> =>
    runOrThrow(host, { argv, timeoutMs }, signal);
  return {
    async look({ manager: name, names, archives }, signal) {
      const on = { host, manager: packageManagers[name] };
      const wanted =
        archives.length > 0 ? archives.map(on.manager.packageOf) : await simulated(on, names, signal);
      const { installed } = await statesOf(on, wanted, signal);
      return { kind: 'packages', missing: wanted.filter((one) => !installed.includes(one)) };
    },
    async apply({ manager: name, names, archives }, before, signal) {
      const manager = packageManagers[name];
      await run(manager.settle, signal);
      // Ours of a run before, with what they need; what others left half installed is theirs.
      const ours = before.kind === 'packages' ? before.missing : [];
      const { unfinished } = await statesOf({ host, manager }, ours, signal);
      if (unfinished.length > 0) await run(manager.finish(unfinished), signal);
      const wanted = archives.length > 0 ? archives.map(manager.packageOf) : names;
      const { installed } = await statesOf({ host, manager }, wanted, signal);
      const isLeft = (one: string): boolean => !installed.includes(one);
      const byName = archives.length > 0 ? [] : names.filter(isLeft);
      if (byName.length > 0) await run(manager.install(byName), signal);
      const byFile = archives.filter((file) => isLeft(manager.packageOf(file)));
      if (byFile.length > 0)
        await run(manager.installFiles(await bring({ files, sources }, byFile, signal)), signal);
      await files.removeTree(folder, { keep: false }, signal);
    },
    async undo({ manager: name }, before, signal) {
      await files.removeTree(folder, { keep: false }, signal);
      if (before.kind !== 'packages') return;
      const known = await removablePackages(host, { manager: name, came: before.missing }, signal);
      if (known.length > 0) await run(packageManagers[name].remove(known), signal);
    },
  };
}
