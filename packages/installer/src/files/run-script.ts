import type { ErrorCode } from '@selvedge/kit';
import { type Host, hostDefaults, programFailed } from '../host/index.ts';
import { notThere, scripts } from './scripts.ts';

export interface Script {
  readonly name: keyof typeof scripts;
  readonly args: readonly string[];
  readonly stdin?: Uint8Array | string;
  /** Of the exit code that says that something is not as it must be. */
  readonly code?: ErrorCode;
  readonly timeoutMs?: number;
}

/** Runs scripts on a machine. */
export interface ScriptRunner {
  /** What it printed. */
  readonly run: (script: Script, signal?: AbortSignal) => Promise<Buffer>;
  /** What it printed, without the end of the line. */
  readonly text: (script: Script, signal?: AbortSignal) => Promise<string>;
  readonly done: (script: Script, signal?: AbortSignal) => Promise<void>;
}

export const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

export function createScriptRunner(host: Host): ScriptRunner {
  const run = async (script: Script, signal?: AbortSignal): Promise<Buffer> => {
    const { name, args, stdin = '', code, timeoutMs = hostDefaults.timeoutMs } = script;
    const result = await host.run(
      { argv: ['sh', '-c', scripts[name], 'sh', ...args], stdin, timeoutMs },
      signal,
    );
    if (result.exitCode === 0) return result.stdout;
    const what = `${name} ${args[0]}`;
    const isFound = code !== undefined && result.exitCode === notThere;
    throw programFailed({ what, code: isFound ? code : 'Internal' }, host, result);
  };
  return {
    run,
    text: async (script, signal) => (await run(script, signal)).toString().trim(),
    async done(script, signal) {
      await run(script, signal);
    },
  };
}
