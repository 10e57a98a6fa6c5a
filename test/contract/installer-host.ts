import { fc } from '@fast-check/vitest';
import type { Host, HostCommand } from '@selvedge/installer';
import { describe, expect, it } from 'vitest';

/** A program that goes on until it is ended, and tells whether it was. */
interface Slow extends AsyncDisposable {
  readonly argv: HostCommand['argv'];
  begun(): Promise<void>;
  ended(): Promise<void>;
}

/** A program of that machine, and how it can be seen there. */
async function startSlow(host: Host): Promise<Slow> {
  const printed = async (...argv: [string, ...string[]]): Promise<string> =>
    (await host.run({ argv })).stdout.toString().trim();
  const folder = await printed('mktemp', '-d');
  const file = `${folder}/pid`;
  // Whole at once: the shell makes the file before it writes to it.
  const script = 'echo $$ > "$1.new" && mv "$1.new" "$1" && exec sleep 1000';
  const pid = async (): Promise<number> => Number((await printed('cat', file)) || Number.NaN);
  return {
    argv: ['sh', '-c', script, 'sh', file],
    begun: () => expect.poll(pid).toBeGreaterThan(0),
    async ended() {
      const id = await pid();
      expect(id).toBeGreaterThan(0);
      const isRunning = async (): Promise<boolean> =>
        (await host.run({ argv: ['sh', '-c', 'kill -0 "$1"', 'sh', `${id}`] })).exitCode === 0;
      await expect.poll(isRunning).toBe(false);
    },
    async [Symbol.asyncDispose]() {
      await host.run({ argv: ['rm', '-r', folder] });
    },
  };
}

/** What every machine must do, whatever the way to it. `open` makes one on which the shell of POSIX is. */
export function hostContract(name: string, open: () => Promise<Host>): void {
  describe(`${name} as a host`, () => {
    it('gives a program its arguments as they are, whatever is in them', async () => {
      await using host = await open();
      const word = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(
          "'",
          '"',
          '$HOME',
          '`id`',
          '; exit 9',
          '\n',
          '-n',
          '',
          '\\',
          '*',
          '~',
          'ä',
          '!!',
          '\t',
        ),
      );
      const words = fc.array(
        word.map((one) => one.replaceAll('\0', '').toWellFormed()),
        { maxLength: 8 },
      );
      await fc.assert(
        fc.asyncProperty(words, async (args) => {
          const { stdout } = await host.run({ argv: ['printf', String.raw`%s\0`, ...args] });
          const seen = stdout.toString().split('\0').slice(0, Math.max(args.length, 1));
          expect(seen).toEqual(args.length === 0 ? [''] : args);
        }),
        { numRuns: 30 },
      );
    });

    it('tells the exit code, and what was printed where', async () => {
      await using host = await open();
      const script = 'echo out; echo err >&2; exit 7';
      const { exitCode, stdout, stderr } = await host.run({ argv: ['sh', '-c', script] });
      expect([exitCode, stdout.toString(), stderr.toString()]).toEqual([7, 'out\n', 'err\n']);
    });

    it('tells the signal that ended a program, as a shell does', async () => {
      await using host = await open();
      expect((await host.run({ argv: ['sh', '-c', 'kill -TERM $$'] })).exitCode).toBe(128 + 15);
    });

    it('feeds stdin byte for byte, and ends it', async () => {
      await using host = await open();
      const stdin = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256));
      const { stdout } = await host.run({ argv: ['cat'], stdin });
      expect(stdout.equals(stdin)).toBe(true);
      expect((await host.run({ argv: ['cat'] })).stdout).toHaveLength(0);
    });

    it('does not mind a program that leaves its stdin alone', async () => {
      await using host = await open();
      const stdin = Buffer.alloc(2 ** 20);
      expect((await host.run({ argv: ['true'], stdin })).exitCode).toBe(0);
    });

    it('ends a program that prints too much', async () => {
      await using host = await open();
      const endless = host.run({ argv: ['yes'], maxOutputBytes: 10_000 });
      await expect(endless).rejects.toMatchObject({ code: 'ResourceExhausted' });
    });

    it('ends a program that takes too long', async () => {
      await using host = await open();
      await using slow = await startSlow(host);
      const running = host.run({ argv: slow.argv, timeoutMs: 3_000 });
      await expect(running).rejects.toMatchObject({ code: 'DeadlineExceeded' });
      await slow.ended();
      expect((await host.run({ argv: ['true'] })).exitCode).toBe(0);
    });

    it('ends a program when it is told to', async () => {
      await using host = await open();
      await using slow = await startSlow(host);
      const stop = new AbortController();
      const reason = host.run({ argv: slow.argv }, stop.signal).catch((error: unknown) => error);
      await slow.begun();
      stop.abort(new Error('enough'));
      expect(await reason).toMatchObject({ message: 'enough' });
      await slow.ended();
    });

    it('waits for nothing that it was told to leave at once', async () => {
      await using host = await open();
      const stop = new AbortController();
      const running = host.run({ argv: ['sleep', '1000'] }, stop.signal);
      stop.abort(new Error('enough'));
      await expect(running).rejects.toThrow('enough');
    });

    it('says that a program is not there', async () => {
      await using host = await open();
      expect((await host.run({ argv: ['no-such-program'] })).exitCode).toBe(127);
    });

    it('runs many programs side by side, those later for which there is no room', async () => {
      await using host = await open();
      const numbers = Array.from({ length: 24 }, (_, at) => `${at}`);
      const said = await Promise.all(numbers.map((one) => host.run({ argv: ['echo', one] })));
      expect(said.map(({ stdout }) => stdout.toString().trim())).toEqual(numbers);
    });
  });
}
