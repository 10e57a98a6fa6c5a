import { promisify } from 'node:util';
import { type ZlibOptions, gzip } from 'node:zlib';
import { SelvedgeError, hasCode } from '@selvedge/kit';
import { type ScriptRunner, octal } from './run-script.ts';
import type { HostFiles, LargeFile, TreeState } from './types.ts';

const zip = promisify<Uint8Array, ZlibOptions, Buffer>(gzip);
/** Most lines are faster than a stronger compression. */
const zipped = (piece: Uint8Array): Promise<Buffer> => zip(piece, { level: 1 });
const pieceBytes = 8 * 2 ** 20;
/** A slow line takes a piece in it, and a slow disk all of them. */
const pieceTimeoutMs = 600_000;
const treeStates: ReadonlySet<string> = new Set<TreeState>(['absent', 'empty', 'full', 'other']);
const isTreeState = (word: string): word is TreeState => treeStates.has(word);

/** What is more than a small file: folders with all in them, large files, and times. */
export function createLargeFiles({
  text,
  done,
}: ScriptRunner): Pick<HostFiles, 'lookTree' | 'removeTree' | 'compose' | 'upload' | 'times' | 'setTimes'> {
  /** From where what is there ends. */
  const uploadRest = async (path: string, file: LargeFile, signal?: AbortSignal): Promise<void> => {
    const { content, sha256, mode } = file;
    let there = Number(await text({ name: 'partSize', args: [path] }, signal));
    while (there < content.length) {
      const stdin = await zipped(content.subarray(there, there + pieceBytes));
      const piece = { name: 'appendPart', args: [path, `${there}`], stdin } as const;
      const then = Number(await text({ ...piece, code: 'Conflict', timeoutMs: pieceTimeoutMs }, signal));
      if (!(then > there))
        throw new SelvedgeError(`upload to ${path} makes no progress`, { code: 'Internal' });
      there = then;
    }
    const whole = { name: 'finishPart', args: [path, sha256, octal(mode)], code: 'Corrupt' } as const;
    await done({ ...whole, timeoutMs: pieceTimeoutMs }, signal);
  };
  return {
    async lookTree(path, signal) {
      const word = await text({ name: 'lookTree', args: [path] }, signal);
      if (isTreeState(word)) return word;
      throw new SelvedgeError(`unexpected answer about ${path}`, { code: 'Internal' });
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
