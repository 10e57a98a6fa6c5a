import { type ErrorCode, SelvedgeError } from '@selvedge/kit';
import { type Host, type HostResult, hostDefaults } from '../host/index.ts';
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

/** Source: strerror(3): ENOSPC, EDQUOT, EFBIG. */
const fullDisk = /No space left on device|Disk quota exceeded|File too large/;

/** What to do about what a program said, if the disk is full. */
export const fullDiskHint = (said: string): { readonly hint?: string } =>
  fullDisk.test(said) ? { hint: 'free some space on the machine, then run the same command again' } : {};

export function failed(
  what: string,
  { exitCode, stderr }: HostResult,
  code: ErrorCode = 'Internal',
): SelvedgeError {
  const said = stderr.toString().trim().split('\n').at(-1) ?? '';
  return new SelvedgeError(`${what}: ${said === '' ? `exit code ${exitCode}` : said}`, {
    code,
    ...fullDiskHint(said),
  });
}

export function createScriptRunner(host: Host): ScriptRunner {
  const run = async (script: Script, signal?: AbortSignal): Promise<Buffer> => {
    const { name, args, stdin = '', code, timeoutMs = hostDefaults.timeoutMs } = script;
    const result = await host.run(
      { argv: ['sh', '-c', scripts[name], 'sh', ...args], stdin, timeoutMs },
      signal,
    );
    if (result.exitCode === 0) return result.stdout;
    throw failed(
      `${name} ${args[0]} on ${host.name}`,
      result,
      result.exitCode === notThere ? code : 'Internal',
    );
  };
  return {
    run,
    text: async (script, signal) => (await run(script, signal)).toString().trim(),
    async done(script, signal) {
      await run(script, signal);
    },
  };
}
