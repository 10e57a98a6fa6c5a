import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newAuthority } from '../../../test/bed/pki/certificate.ts';
import { fileCredentials } from './credentials.ts';

const { signal } = new AbortController();

describe('credentials from files', () => {
  let folder: string;
  let token: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'selvedge-credentials-'));
    token = join(folder, 'token');
    await writeFile(token, 'first\n');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('reads a replaced file again, at most once in a while', async () => {
    const clock = createManualClock();
    const source = fileCredentials({ bearerToken: { file: token } }, { clock });
    expect((await source(signal)).bearerToken).toBe('first');
    await writeFile(token, 'second token');
    expect((await source(signal)).bearerToken).toBe('first');
    await clock.advance(1_000);
    expect((await source(signal)).bearerToken).toBe('second token');
  });

  it('gives the same object as long as nothing was replaced', async () => {
    const clock = createManualClock();
    const source = fileCredentials({ bearerToken: { file: token }, checkEveryMs: 0 }, { clock });
    expect(await source(signal)).toBe(await source(signal));
  });

  it('keeps the last good ones while a replacement cannot be read', async () => {
    const clock = createManualClock();
    const source = fileCredentials({ bearerToken: { file: token }, checkEveryMs: 0 }, { clock });
    await source(signal);
    await rm(token);
    expect((await source(signal)).bearerToken).toBe('first');
  });

  it('tells why a replacement cannot be used, once for each', async () => {
    const clock = createManualClock();
    const told: string[] = [];
    const onUnusable = (error: Error): void => void told.push(messageOf(error.cause));
    const files = { certificateAuthority: { file: join(folder, 'ca') }, checkEveryMs: 0 };
    const good = (await newAuthority('test', Date.now())).certificate;
    await writeFile(files.certificateAuthority.file, good + good);
    const source = fileCredentials(files, { clock, onUnusable });
    const held = await source(signal);
    for (const text of ['', good.slice(0, 200), good + good.slice(0, 200), good.replace('M', '!')]) {
      await writeFile(files.certificateAuthority.file, text);
      expect(await source(signal)).toBe(held);
      expect(await source(signal)).toBe(held);
    }
    expect(told).toHaveLength(4);
    expect(told[0]).toMatch(/ca is no whole file of certificates$/);
    await rm(files.certificateAuthority.file);
    expect(await source(signal)).toBe(held);
    expect(told[4]).toMatch(/ENOENT/);
    await writeFile(files.certificateAuthority.file, good);
    expect((await source(signal)).certificateAuthority).toBe(good);
    expect(told).toHaveLength(5);
  });

  it('says so when they were never there, or do not fit together', async () => {
    const clock = createManualClock();
    const none = fileCredentials({ bearerToken: { file: join(folder, 'none') } }, { clock });
    await expect(none(signal)).rejects.toMatchObject({ code: 'Unauthenticated' });
    const broken = fileCredentials({ certificate: { text: 'no' }, privateKey: { text: 'pem' } }, { clock });
    await expect(broken(signal)).rejects.toMatchObject({ code: 'Unauthenticated' });
  });
});
