import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '@selvedge/kit/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { kubeconfigCredentials } from './kubeconfig-credentials.ts';

const { signal } = new AbortController();
const config = (user: object): string =>
  stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443' } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-kubeconfig-'));
  path = join(folder, 'config');
});
afterEach(() => rm(folder, { recursive: true }));

it('follows a kubeconfig that is replaced, and a file that it names', async () => {
  const clock = createManualClock();
  const source = kubeconfigCredentials({ path }, { clock });
  await writeFile(path, config({ token: 'inline' }));
  const first = await source(signal);
  expect(first.bearerToken).toBe('inline');
  expect(await source(signal)).toBe(first);
  await writeFile(join(folder, 'token'), 'from a file\n');
  await writeFile(path, config({ tokenFile: 'token' }));
  await clock.advance(1_000);
  expect((await source(signal)).bearerToken).toBe('from a file');
  await writeFile(join(folder, 'token'), 'from a newer file\n');
  await clock.advance(1_000);
  expect((await source(signal)).bearerToken).toBe('from a newer file');
});

it('keeps the last good one, and says Unauthenticated when there is none', async () => {
  const clock = createManualClock();
  const source = kubeconfigCredentials({ path }, { clock });
  await expect(source(signal)).rejects.toMatchObject({ code: 'Unauthenticated' });
  await clock.advance(1_000);
  await writeFile(path, config({ token: 'good' }));
  expect((await source(signal)).bearerToken).toBe('good');
  await writeFile(path, ': no kubeconfig');
  await clock.advance(1_000);
  expect((await source(signal)).bearerToken).toBe('good');
});
