/** Settings of V8 and malloc that only work when they are there before the program starts. */
export interface Tuning {
  /** Of Node and V8. They win over what Node was given. */
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Invocation {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Flags that the running Node was given. */
  readonly execArgv: readonly string[];
  /** As Node tells it: the executable, the program's file, its arguments. */
  readonly argv: readonly string[];
  /** A single executable: the flags are in it, and it takes none. Default false. */
  readonly single?: boolean;
}

export interface TunedCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The part of `process` that starts a program again in its place. */
export interface TunedHost extends Omit<Invocation, 'single'> {
  readonly execPath: string;
  /** Does not return. Absent where the system has no such call: then nothing is tuned. */
  execve?(file: string, args: readonly string[], env: Readonly<Record<string, string>>): never;
}

/** Tells the second start from the first; who sets it wants no settings. */
const mark = 'SELVEDGE_TUNED';

/** How to start again with the settings; undefined when this is that start, or when the caller wants none. */
export function tunedCommand(tuning: Tuning, invocation: Invocation): TunedCommand | undefined {
  const { env, execArgv, argv, single = false } = invocation;
  if (env[mark] !== undefined) return undefined;
  const inherited = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    // A single executable has no file of the program: Node names the executable twice.
    args: single ? argv.slice(2) : [...execArgv, ...tuning.flags, ...argv.slice(1)],
    env: { ...Object.fromEntries(inherited), ...tuning.environment, [mark]: '1' },
  };
}

/** Replaces this process, its id kept, by one with the settings, unless it has them already. */
export function startTuned(tuning: Tuning, host: TunedHost, { single = false } = {}): void {
  const { env, execArgv, argv, execPath } = host;
  const command = tunedCommand(tuning, { env, execArgv, argv, single });
  if (command !== undefined) host.execve?.(execPath, [execPath, ...command.args], command.env);
}
