import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { inClusterAccess } from './in-cluster.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-account-'));
});
afterEach(() => rm(folder, { recursive: true }));

const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

it('finds the API server and the files of the service account', async () => {
  await writeFile(join(folder, 'namespace'), 'selvedge-system\n');
  expect(await inClusterAccess({ environment, folder })).toEqual({
    server: 'https://[fd00::1]:443',
    credentials: {
      certificateAuthority: { file: join(folder, 'ca.crt') },
      bearerToken: { file: join(folder, 'token') },
    },
    namespace: 'selvedge-system',
  });
});

it('is told when this is no pod', async () => {
  await expect(inClusterAccess({ environment, folder })).rejects.toMatchObject({ code: 'NotFound' });
  await writeFile(join(folder, 'namespace'), 'x');
  await expect(inClusterAccess({ environment: {}, folder })).rejects.toThrow(/KUBERNETES_SERVICE_HOST/);
});
