import { type Host, hostDefaults, programFailed } from '../host/index.ts';
import { createLargeFiles } from './large-files.ts';
import { parsePathState } from './path-state.ts';
import { createScriptRunner, octal } from './run-script.ts';
import type { HostFiles } from './types.ts';

const root = { uid: 0, gid: 0 } as const;

export function createHostFiles(host: Host): HostFiles {
  const runner = createScriptRunner(host);
  const { done } = runner;
  return {
    async look(path, signal) {
      return parsePathState(await runner.text({ name: 'look', args: [path] }, signal));
    },
    async read(path, { maxBytes = hostDefaults.maxOutputBytes } = {}, signal) {
      const result = await host.run({ argv: ['cat', '--', path], maxOutputBytes: maxBytes }, signal);
      if (result.exitCode === 0) return result.stdout;
      // Only what is not there is nothing: a journal that cannot be read is not an empty one.
      const isGone = (await host.run({ argv: ['test', '-e', path] }, signal)).exitCode === 1;
      throw programFailed(
        { what: `cannot read ${path}`, code: isGone ? 'NotFound' : 'Internal' },
        host,
        result,
      );
    },
    write(path, { content, mode, owner = root }, signal) {
      const args = [path, octal(mode), `${owner.uid}:${owner.gid}`];
      return done({ name: 'write', args, stdin: content }, signal);
    },
    append: (path, stdin, signal) => done({ name: 'append', args: [path], stdin }, signal),
    shorten: (path, bytes, signal) => done({ name: 'shorten', args: [path, `${bytes}`] }, signal),
    keep: (path, backup, signal) => done({ name: 'keep', args: [path, backup] }, signal),
    putBack: (backup, path, signal) =>
      done({ name: 'putBack', args: [backup, path], code: 'NotFound' }, signal),
    remove: (path, signal) => done({ name: 'remove', args: [path] }, signal),
    makeFolder: (path, mode, signal) => done({ name: 'makeFolder', args: [path, octal(mode)] }, signal),
    removeFolder: (path, signal) => done({ name: 'removeFolder', args: [path], code: 'Conflict' }, signal),
    ...createLargeFiles(runner),
  };
}
