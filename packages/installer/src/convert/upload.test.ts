import { randomBytes } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import { describe, expect, it, vi } from 'vitest';
import type { HostCommand } from '../host/index.ts';
import { describeConvert } from './describe.ts';
import { type Mishap, type TestSite, createTestSite, hastyClock } from './testing-site.ts';

vi.setConfig({ testTimeout: 300_000 });

const pieceBytes = 8 * 2 ** 20;
/** Two pieces, which no compression makes smaller. */
const program = randomBytes(pieceBytes + 2 ** 20);
const lengthOf = ({ stdin }: HostCommand): number => stdin?.length ?? 0;

/** Tells of pieces that are sent. */
const listening = (onPiece: (bytes: number) => boolean): Mishap => ({
  at: (command) => lengthOf(command) > 2 ** 19 && onPiece(lengthOf(command)),
  when: 'before',
  what: 'loss',
});

it('the time of a node begins when its uploads are over', async () => {
  const told: string[] = [];
  const timeoutMs = 77_000;
  const clock: Clock = {
    ...systemClock,
    sleep(ms, signal) {
      if (ms === timeoutMs) told.push('time');
      return hastyClock.sleep(ms, signal);
    },
  };
  await using site = await createTestSite({}, { program, clock });
  const mishap = listening(() => {
    told.push('piece');
    return false;
  });
  expect(await site.convert({ timeoutMs }, { mishap })).toMatchObject({ outcome: 'done' });
  expect(told).toEqual(['piece', 'piece', 'time']);
});

describe('an upload that breaks off', () => {
  /** After its first piece. */
  async function breakOff(site: TestSite): Promise<void> {
    let pieces = 0;
    const mishap = listening(() => (pieces += 1) === 2);
    const result = await site.convert({}, { mishap });
    const hint = expect.stringContaining('resumes the upload');
    expect(result).toMatchObject({ outcome: 'partly', nodes: [{ outcome: 'interrupted', hint }] });
    expect(describeConvert(result)).toContain('till-1 was not changed; its upload was interrupted');
    const etc = join(site.disk.folder, 'etc');
    expect((await stat(join(etc, 'selvedge/.program.selvedge-new'))).size).toBe(pieceBytes);
    expect(await readFile(join(etc, 'kubelet.conf'), 'utf8')).toBe('server: cloud\n');
  }

  it('goes on with the next run', async () => {
    await using site = await createTestSite({}, { program });
    await breakOff(site);
    let sent = 0;
    const mishap = listening((bytes) => {
      sent += bytes;
      return false;
    });
    expect(await site.convert({}, { mishap })).toMatchObject({ outcome: 'done' });
    expect([sent > 0, sent < pieceBytes]).toEqual([true, true]);
    const there = await readFile(join(site.disk.folder, 'etc/selvedge/program'));
    expect(there.equals(program)).toBe(true);
  });

  it('leaves time for a kube-proxy to be replaced, which is replaced again by one that reads the hub', async () => {
    await using site = await createTestSite({}, { program });
    await breakOff(site);
    await site.cluster.delete(
      resources.pods,
      { name: 'till-1-proxy-0' },
      { signal: new AbortController().signal },
    );
    expect(await site.convert()).toMatchObject({ outcome: 'done' });
    expect(site.cluster.proxies('till-1')).toBe(2);
  });

  it('is taken back by a revert', async () => {
    await using site = await createTestSite({}, { program });
    const before = await site.disk.look();
    await breakOff(site);
    expect(await site.revert()).toMatchObject({ outcome: 'done' });
    expect(await site.disk.look()).toEqual(before);
    expect(await readdir(join(site.disk.folder, '../home'))).toEqual([]);
  });
});
