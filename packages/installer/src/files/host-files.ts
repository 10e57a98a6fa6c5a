import { type ErrorCode, SelvedgeError } from '@selvedge/kit';
import { type Host, type HostResult, hostDefaults } from '../host/index.ts';
import { parsePathState } from './path-state.ts';
import { notThere, scripts } from './scripts.ts';
import type { HostFiles } from './types.ts';

function failed(what: string, { exitCode, stderr }: HostResult, code: ErrorCode = 'Internal'): SelvedgeError {
  const said = stderr.toString().trim().split('\n').at(-1) ?? '';
  return new SelvedgeError(`${what}: ${said === '' ? `exit code ${exitCode}` : said}`, { code });
}

const root = { uid: 0, gid: 0 } as const;
const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

interface Script {
  readonly name: keyof typeof scripts;
  readonly args: readonly string[];
  readonly stdin?: Uint8Array | string;
  /** Of the exit code that says that something is not as it must be. */
  readonly code?: ErrorCode;
}

export function createHostFiles(host: Host): HostFiles {
  const run = async (script: Script, signal?: AbortSignal): Promise<Buffer> => {
    const { name, args, stdin = '', code } = script;
    const result = await host.run({ argv: ['sh', '-c', scripts[name], 'sh', ...args], stdin }, signal);
    if (result.exitCode === 0) return result.stdout;
    throw failed(
      `${name} ${args[0]} on ${host.name}`,
      result,
      result.exitCode === notThere ? code : 'Internal',
    );
  };
  const done = async (script: Script, signal?: AbortSignal): Promise<void> => {
    await run(script, signal);
  };
  return {
    async look(path, signal) {
      return parsePathState((await run({ name: 'look', args: [path] }, signal)).toString());
    },
    async read(path, { maxBytes = hostDefaults.maxOutputBytes } = {}, signal) {
      const result = await host.run({ argv: ['cat', '--', path], maxOutputBytes: maxBytes }, signal);
      if (result.exitCode === 0) return result.stdout;
      throw failed(`read ${path} on ${host.name}`, result, 'NotFound');
    },
    write(path, { content, mode, owner = root }, signal) {
      const args = [path, octal(mode), `${owner.uid}:${owner.gid}`];
      return done({ name: 'write', args, stdin: content }, signal);
    },
    append: (path, stdin, signal) => done({ name: 'append', args: [path], stdin }, signal),
    keep: (path, backup, signal) => done({ name: 'keep', args: [path, backup] }, signal),
    putBack: (backup, path, signal) =>
      done({ name: 'putBack', args: [backup, path], code: 'NotFound' }, signal),
    remove: (path, signal) => done({ name: 'remove', args: [path] }, signal),
    makeFolder: (path, mode, signal) => done({ name: 'makeFolder', args: [path, octal(mode)] }, signal),
    removeFolder: (path, signal) => done({ name: 'removeFolder', args: [path], code: 'Conflict' }, signal),
  };
}
