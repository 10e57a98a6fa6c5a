import { homedir } from 'node:os';
import { join } from 'node:path';
import { SelvedgeError, systemClock } from '@selvedge/kit';
import { missingGiven, provideAssets, unbuilt } from './assets.ts';
import { type Assets, type Binary, allBinaries } from './binaries.ts';
import { type Cache, createCache } from './cache.ts';
import { debianPackages, installMissing } from './debian.ts';
import { readFacts } from './machine-facts.ts';
import { type Finding, neededPrograms, preflight } from './preflight.ts';
import { type Progress, createProgress } from './progress.ts';

/** The environment variables that the setup listens to. */
export interface SetupEnvironment {
  readonly PATH?: string | undefined;
  readonly HOME?: string | undefined;
  readonly XDG_CACHE_HOME?: string | undefined;
  /** A folder of ready binaries; see docs/reference/hack.md. */
  readonly SELVEDGE_KUBE_ASSETS?: string | undefined;
}

export interface SetupOptions {
  readonly env: SetupEnvironment;
  /** The root of the checkout. Default: the one that this file is in. */
  readonly repository?: string;
}

export interface PrepareOptions<B extends Binary> {
  /** Default: all. */
  readonly binaries?: readonly B[];
  readonly signal?: AbortSignal | undefined;
}

/** Makes a machine ready for the testbed. Says something only when something is to be done. */
export interface Setup {
  readonly cache: Cache;
  readonly progress: Progress;
  /** Throws one error that lists all findings. */
  preflight(binaries?: readonly Binary[]): Promise<void>;
  /** Installs the missing Debian packages. */
  packages(signal?: AbortSignal): Promise<void>;
  /** Absolute paths of the wanted binaries, built if need be. */
  assets<B extends Binary = Binary>(options?: PrepareOptions<B>): Promise<Assets<B>>;
}

/** `$XDG_CACHE_HOME/selvedge`. Source: XDG Base Directory Specification. */
export function cacheRoot(env: SetupEnvironment): string {
  const base = env.XDG_CACHE_HOME ?? '';
  return join(base === '' ? join(env.HOME ?? homedir(), '.cache') : base, 'selvedge');
}

/** All findings in one error. */
export function findingsError(findings: readonly Finding[]): SelvedgeError {
  const lines = findings.map(({ problem, remedy }) => `  - ${problem}\n    → ${remedy}`);
  const message = `this machine is not ready:\n${lines.join('\n')}`;
  return new SelvedgeError(message, { code: 'Unsupported' });
}

export function createSetup(options: SetupOptions, deps: { readonly progress: Progress }): Setup {
  const { env } = options;
  const { progress } = deps;
  const modules = join(options.repository ?? join(import.meta.dirname, '../..'), 'test/bed/go');
  const given = env.SELVEDGE_KUBE_ASSETS === '' ? undefined : env.SELVEDGE_KUBE_ASSETS;
  const cache = createCache({ root: cacheRoot(env) });
  return {
    cache,
    progress,
    async preflight(binaries = allBinaries) {
      const facts = await readFacts({
        path: env.PATH ?? '',
        programs: neededPrograms,
        cacheFolder: cache.root,
        firstRun: (await unbuilt({ binaries, modules, given }, cache)).length > 0,
        given:
          given === undefined ? undefined : { folder: given, missing: await missingGiven(binaries, given) },
      });
      const findings = preflight(facts);
      if (findings.length > 0) throw findingsError(findings);
    },
    packages: (signal) =>
      installMissing({ packages: debianPackages, stateFolder: cache.root, signal }, { progress }),
    assets: <B extends Binary>({ binaries, signal }: PrepareOptions<B> = {}) =>
      // Without a wish B is `Binary`, of which these are all.
      provideAssets(
        { binaries: binaries ?? (allBinaries as readonly B[]), modules, given, signal },
        { cache, progress },
      ),
  };
}

function writeStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The setup of this process: its environment, its checkout, words on stderr. */
export function processSetup(): Setup {
  const progress = createProgress({}, { clock: systemClock, write: writeStderr });
  return createSetup({ env: process.env }, { progress });
}

/**
 * Absolute paths of the wanted binaries (default: all) on a machine that is ready for them: checks the machine,
 * installs missing packages and builds what is not in the cache. A second call takes about 0.1 s.
 */
export async function ensureAssets<B extends Binary = Binary>(
  options: PrepareOptions<B> = {},
  setup: Setup = processSetup(),
): Promise<Assets<B>> {
  await setup.preflight(options.binaries);
  await setup.packages(options.signal);
  return setup.assets(options);
}
