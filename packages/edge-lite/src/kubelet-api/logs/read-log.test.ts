import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fc, test as property } from '@fast-check/vitest';
import { createManualClock } from '@selvedge/kit/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { logOptions } from './log-options.ts';
import { readLog } from './read-log.ts';

/** A container's log as a runtime and the rotator leave it. */
class Log {
  readonly folder = mkdtempSync(join(tmpdir(), 'read-log-'));
  readonly path = join(this.folder, '0.log');
  readonly clock = createManualClock();
  ended = false;
  #rotated: string[] = [];
  /** Where the runtime writes. */
  #target = this.path;
  #lines = 0;
  #changed: () => void = () => undefined;

  constructor() {
    writeFileSync(this.path, '');
  }

  /** The next numbered entries. */
  write(count = 1): void {
    this.raw(Array.from({ length: count }, () => this.entry()).join(''));
  }

  entry(): string {
    this.#lines += 1;
    return `2026-01-02T03:04:05.000000001Z stdout F <${this.#lines - 1}>\n`;
  }

  raw(text: string): void {
    appendFileSync(this.#target, text);
  }

  rename(): void {
    const name = `${this.path}.20260102-${String(100_000 + this.#rotated.length)}`;
    renameSync(this.path, name);
    this.#rotated.push(name);
    this.#target = name;
  }

  /** The runtime makes the new file first and then goes over to it. */
  create(): void {
    writeFileSync(this.path, '');
  }

  reopen(): void {
    this.#target = this.path;
  }

  /** All but the newest, as the rotator does. */
  compress(): void {
    for (const name of this.#rotated.slice(0, -1)) {
      if (!existsSync(name)) continue;
      writeFileSync(`${name}.gz`, gzipSync(readFileSync(name)));
      rmSync(name);
    }
  }

  rotate(): void {
    this.rename();
    this.create();
    this.reopen();
  }

  end(): void {
    this.ended = true;
    this.#changed();
  }

  expected(): string {
    return Array.from({ length: this.#lines }, (_, i) => `<${i}>\n`).join('');
  }

  open(query = '', signal = new AbortController().signal): AsyncGenerator<Uint8Array> {
    const writer = {
      ended: async () => this.ended,
      onChange: (changed: () => void) => {
        this.#changed = changed;
        return { [Symbol.dispose]: () => undefined };
      },
    };
    const options = { ...logOptions(new URLSearchParams(query), 0), path: this.path };
    return readLog(options, { writer, clock: this.clock }, signal);
  }

  async text(query = ''): Promise<string> {
    return collect(this.open(query));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts).toString();
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets what is being followed run until it waits, and then through so many of its waits. */
async function look(log: Log, times = 1): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    await log.clock.asleep();
    await log.clock.advance(500);
  }
  await log.clock.asleep();
}

/** Ends the container and lets time pass until the reader has noticed. */
async function finish(log: Log, read: Promise<string>): Promise<string> {
  log.end();
  const over = new AbortController();
  const noticed = read.finally(() => over.abort());
  while (!over.signal.aborted) {
    await tick();
    await log.clock.advance(500);
  }
  return noticed;
}

let log: Log;
beforeEach(() => {
  log = new Log();
});
afterEach(() => log[Symbol.dispose]());

describe('a log', () => {
  it('is what was written so far', async () => {
    log.write(3);
    expect(await log.text()).toBe(log.expected());
  });

  it('begins with the file before the last rotation', async () => {
    log.write(3);
    log.rotate();
    log.write(2);
    expect(await log.text()).toBe(log.expected());
    log.rotate();
    log.compress();
    log.write();
    expect(await log.text()).toBe('<3>\n<4>\n<5>\n');
  });

  it('is there while the runtime has not made the next file yet', async () => {
    log.write(3);
    log.rename();
    expect(await log.text()).toBe(log.expected());
  });

  it('is refused before anything is answered if there is none', async () => {
    rmSync(log.path);
    await expect(log.open().next()).rejects.toThrow(/failed to open log file .*no such file or directory/);
  });

  it.each([
    [0, ''],
    [1, '<4>\n'],
    [2, '<3>\n<4>\n'],
    [3, '<2>\n<3>\n<4>\n'],
    [9, '<0>\n<1>\n<2>\n<3>\n<4>\n'],
  ])('has an end of %i lines, also beyond a rotation', async (lines, text) => {
    log.write(3);
    log.rotate();
    log.write(2);
    expect(await log.text(`tailLines=${lines}`)).toBe(text);
  });

  property.prop([fc.integer({ min: 0, max: 12_000 }), fc.nat(12_000)], { numRuns: 20 })(
    'has an end of any length',
    async (wanted, before) => {
      using other = new Log();
      other.write(before);
      other.rotate();
      other.write(12_000 - before);
      const text = await other.text(`tailLines=${wanted}`);
      expect(text).toBe(
        other
          .expected()
          .split('\n')
          .slice(0, -1)
          .slice(12_000 - wanted)
          .map((line) => `${line}\n`)
          .join(''),
      );
    },
  );
});

describe('a followed log', () => {
  it('goes on until the container has ended and all is read', async () => {
    log.write();
    const read = log.text('follow=true');
    await look(log);
    log.write();
    await look(log);
    log.write();
    expect(await finish(log, read)).toBe('<0>\n<1>\n<2>\n');
  });

  it('of a container that has ended is what there is', async () => {
    log.write();
    expect(await finish(log, log.text('follow=true'))).toBe('<0>\n');
  });

  it('begins with its last lines', async () => {
    log.write(5);
    log.rotate();
    log.write(1);
    const read = log.text('follow=true&tailLines=2');
    await look(log);
    log.write();
    expect(await finish(log, read)).toBe('<4>\n<5>\n<6>\n');
  });

  it('ends when it has given as many bytes as were wanted', async () => {
    log.write(2);
    expect(await log.text('follow=true&limitBytes=5')).toBe('<0>\n<');
  });

  it('has what the runtime wrote to the old file before it went over to the new one', async () => {
    const read = log.text('follow=true');
    await look(log);
    log.rename();
    log.write();
    await look(log, 3);
    log.create();
    await look(log, 3);
    log.write();
    await look(log, 3);
    log.reopen();
    log.write();
    await look(log, 3);
    expect(await finish(log, read)).toBe('<0>\n<1>\n<2>\n');
  });

  it('is read by a slow client through files that were compressed meanwhile', async () => {
    log.write();
    const pieces = log.open('follow=true');
    await pieces.next();
    for (let i = 0; i < 4; i += 1) {
      log.rotate();
      log.write();
      log.compress();
    }
    expect(await finish(log, collect(pieces))).toBe(log.expected());
  });

  it('is let go at once when the client goes', async () => {
    const client = new AbortController();
    const read = collect(log.open('follow=true', client.signal));
    await look(log);
    client.abort(new Error('gone'));
    await expect(read).rejects.toThrow('gone');
    expect(log.clock.sleepers).toBe(0);
  });

  type Act = 'write' | 'halves' | 'rotate' | 'swap' | 'compress' | 'look' | 'tick';
  const acts = fc.array(
    fc.constantFrom<Act>('write', 'write', 'halves', 'rotate', 'swap', 'compress', 'look', 'tick'),
    { maxLength: 25 },
  );
  property.prop([acts, fc.nat(3)], { numRuns: 60 })(
    'has each line once, however it is written and rotated',
    async (plan, before) => {
      using other = new Log();
      other.write(before);
      const read = other.text('follow=true');
      const doing: Readonly<Record<Act, () => Promise<void> | void>> = {
        write: () => other.write(2),
        halves: async () => {
          const entry = other.entry();
          other.raw(entry.slice(0, 20));
          await tick();
          other.raw(entry.slice(20));
        },
        rotate: () => other.rotate(),
        swap: async () => {
          other.rename();
          other.write();
          await tick();
          other.create();
          other.write();
          await tick();
          other.reopen();
        },
        compress: () => other.compress(),
        look: () => look(other),
        tick,
      };
      await look(other);
      for (const act of plan) await doing[act]();
      expect(await finish(other, read)).toBe(other.expected());
    },
  );
});
