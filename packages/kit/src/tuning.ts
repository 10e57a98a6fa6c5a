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
  /** The program's file and its arguments. */
  readonly program: readonly string[];
}

export interface TunedCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The part of `process` that starts a program again in its place. */
export interface TunedHost {
  readonly env: Invocation['env'];
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  readonly execPath: string;
  /** Does not return. Absent where the system has no such call: then nothing is tuned. */
  execve?(file: string, args: readonly string[], env: Readonly<Record<string, string>>): never;
}

/** Tells the second start from the first; who sets it wants no settings. */
const mark = 'SELVEDGE_TUNED';

/** How to start again with the settings; undefined when this is that start, or when the caller wants none. */
export function tunedCommand(tuning: Tuning, invocation: Invocation): TunedCommand | undefined {
  const { env, execArgv, program } = invocation;
  if (env[mark] !== undefined) return undefined;
  const inherited = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    args: [...execArgv, ...tuning.flags, ...program],
    env: { ...Object.fromEntries(inherited), ...tuning.environment, [mark]: '1' },
  };
}

/** Replaces this process, its id kept, by one with the settings, unless it has them already. */
export function startTuned(tuning: Tuning, host: TunedHost): void {
  const { env, execArgv, argv, execPath } = host;
  const command = tunedCommand(tuning, { env, execArgv, program: argv.slice(1) });
  if (command !== undefined) host.execve?.(execPath, [execPath, ...command.args], command.env);
}
