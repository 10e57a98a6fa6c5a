import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type ErrorCode, SelvedgeError, hasCode } from '@selvedge/kit';
import { type Host, type HostResult, hostDefaults } from '../host/index.ts';
import { parsePathState } from './path-state.ts';
import { notThere, scripts } from './scripts.ts';
import type { HostFiles, LargeFile, TreeState } from './types.ts';

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
  readonly timeoutMs?: number;
}

const zipped = promisify<Uint8Array, Buffer>(gzip);
const pieceBytes = 4 * 2 ** 20;
/** A slow line takes a piece in it. */
const pieceTimeoutMs = 600_000;
const treeStates: ReadonlySet<string> = new Set<TreeState>(['absent', 'empty', 'full', 'other']);
const isTreeState = (word: string): word is TreeState => treeStates.has(word);

export function createHostFiles(host: Host): HostFiles {
  const run = async (script: Script, signal?: AbortSignal): Promise<Buffer> => {
    const { name, args, stdin = '', code, timeoutMs = hostDefaults.timeoutMs } = script;
    const argv = ['sh', '-c', scripts[name], 'sh', ...args] as const;
    const result = await host.run({ argv: [...argv], stdin, timeoutMs }, signal);
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
  const text = async (script: Script, signal?: AbortSignal): Promise<string> =>
    (await run(script, signal)).toString().trim();
  /** From where what is there ends. */
  const uploadRest = async (path: string, file: LargeFile, signal?: AbortSignal): Promise<void> => {
    const { content, sha256, mode } = file;
    let there = Number(await text({ name: 'partSize', args: [path] }, signal));
    while (there < content.length) {
      const stdin = await zipped(content.subarray(there, there + pieceBytes));
      const args = [path, `${there}`];
      there = Number(
        await text({ name: 'appendPart', args, stdin, code: 'Conflict', timeoutMs: pieceTimeoutMs }, signal),
      );
    }
    await done({ name: 'finishPart', args: [path, sha256, octal(mode)], code: 'Corrupt' }, signal);
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
    async lookTree(path, signal) {
      const word = await text({ name: 'lookTree', args: [path] }, signal);
      if (isTreeState(word)) return word;
      throw new SelvedgeError(`what is at ${path} on ${host.name} was not understood`, { code: 'Internal' });
    },
    removeTree: (path, { keep }, signal) =>
      done({ name: 'removeTree', args: [path, keep ? 'keep' : ''] }, signal),
    compose(path, { from, mode }, signal) {
      const pairs = from.flatMap(({ path: source, field = '-' }) => [field, source]);
      return done({ name: 'compose', args: [path, octal(mode), ...pairs], code: 'Conflict' }, signal);
    },
    async upload(path, file, signal) {
      try {
        await uploadRest(path, file, signal);
      } catch (error) {
        // What was there before was of another file; it is gone now.
        if (!hasCode(error, 'Corrupt')) throw error;
        await uploadRest(path, file, signal);
      }
    },
    async times(paths, signal) {
      const lines = (await text({ name: 'times', args: paths }, signal)).split('\n');
      const known = paths.map((path, at) => [path, lines[at] ?? '-'] as const);
      return Object.fromEntries(known.filter(([, time]) => time !== '-'));
    },
    setTimes: (times, signal) =>
      done({ name: 'setTimes', args: Object.entries(times).flatMap(([path, time]) => [time, path]) }, signal),
  };
}
