import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '@selvedge/kit/testing';
import type { CredentialSource, Credentials } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execCredentials } from './exec-credentials.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'exec-'));
});
afterAll(() => rm(folder, { recursive: true }));

const clock = createManualClock();
const { signal } = new AbortController();

/** A program that prints this, and what it was told. */
async function plugin(
  name: string,
  text: string,
  env: Readonly<Record<string, string>> = {},
): Promise<CredentialSource> {
  const command = join(folder, name);
  const script = `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO $REGION $1" >> ${command}.told\ncat <<'EOF'\n${text}\nEOF\n`;
  await writeFile(command, script, { mode: 0o755 });
  const apiVersion = 'client.authentication.k8s.io/v1';
  const options = { apiVersion, command, args: ['get-token'], env, installHint: 'get it from the vendor' };
  return execCredentials(
    { plugin: options, certificateAuthority: 'the CA', env: { PATH: process.env['PATH'] } },
    { clock },
  );
}

const told = async (name: string): Promise<readonly string[]> =>
  (await readFile(join(folder, `${name}.told`), 'utf8')).trim().split('\n');

describe('credentials that a program makes', () => {
  it('are made once, and anew a minute before they end', async () => {
    const expirationTimestamp = new Date(clock.now() + 600_000).toISOString();
    const source = await plugin('token', JSON.stringify({ status: { token: 't', expirationTimestamp } }), {
      REGION: 'eu',
    });
    const first: Credentials = await source(signal);
    expect(first).toEqual({ certificateAuthority: 'the CA', bearerToken: 't', clientCertificate: undefined });
    await Promise.all([source(signal), source(signal)]);
    expect(await told('token')).toEqual([
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}} eu get-token',
    ]);
    await clock.advance(550_000);
    await Promise.all([source(signal), source(signal)]);
    expect(await told('token')).toHaveLength(2);
  });

  it('may be a certificate', async () => {
    const status = { clientCertificateData: 'c', clientKeyData: 'k' };
    const source = await plugin('pair', JSON.stringify({ status }));
    expect(await source(signal)).toMatchObject({ clientCertificate: { certificate: 'c', privateKey: 'k' } });
  });

  it.each([
    ['nothing', '{}'],
    ['no JSON', 'please log in'],
  ])('are refused if it prints %s, with what helps', async (_what, text) => {
    const source = await plugin('wrong', text);
    await expect(source(signal)).rejects.toMatchObject({
      code: 'Unauthenticated',
      hint: 'get it from the vendor',
    });
  });

  it('are refused if it is not there', async () => {
    const options = { apiVersion: 'v1', command: join(folder, 'none'), args: [], env: {} };
    const source = execCredentials({ plugin: options, certificateAuthority: undefined, env: {} }, { clock });
    await expect(source(signal)).rejects.toMatchObject({
      message: expect.stringMatching(/was not found/) as string,
    });
  });
});
