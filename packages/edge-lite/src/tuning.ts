/**
 * V8 and malloc settings that keep an idle agent small. They only work when they are there before the program starts,
 * so it starts itself again once.
 */
const flags = [
  '--max-semi-space-size=1',
  '--max-old-space-size=64',
  '--no-opt',
  '--no-maglev',
  '--optimize-for-size',
  '--v8-pool-size=1',
  '--disable-warning=ExperimentalWarning',
];

const environment = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '65536',
  UV_THREADPOOL_SIZE: '2',
  SELVEDGE_TUNED: '1',
};

export interface Invocation {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Flags that the running Node was given. */
  readonly execArgv: readonly string[];
  /** The program's file and its arguments. */
  readonly program: readonly string[];
}

export interface TunedCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How to start again with the settings; undefined when this is that start, or when the caller wants none. */
export function tunedCommand({ env, execArgv, program }: Invocation): TunedCommand | undefined {
  if (env['SELVEDGE_TUNED'] !== undefined) return undefined;
  const inherited = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    args: [...execArgv, ...flags, ...program],
    env: { ...Object.fromEntries(inherited), ...environment },
  };
}
