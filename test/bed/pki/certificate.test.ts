import { X509Certificate, createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { newAuthority, newSigningKeys, openAuthority } from './certificate.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { openPki } from './pki.ts';

const authority = await openAuthority(await newAuthority('kubernetes', systemClock.now()), systemClock);
const ca = new X509Certificate(authority.keyPair.certificate);

describe('certificates', () => {
  it('are signed by an authority that may sign', async () => {
    const issued = await authority.issue({ commonName: 'system:node:n', organizations: ['system:nodes'] });
    const certificate = new X509Certificate(issued.certificate);
    expect(ca.ca).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(issued.key))).toBe(true);
  });

  it('name the user, the groups, the names and the addresses', async () => {
    const issued = await authority.issue({
      commonName: 'kube-apiserver',
      organizations: ['a, b+c'],
      usages: ['server'],
      dnsNames: ['kubernetes'],
      addresses: ['10.96.0.1'],
    });
    const certificate = new X509Certificate(issued.certificate);
    expect(certificate.toLegacyObject().subject).toEqual({ CN: 'kube-apiserver', O: 'a, b+c' });
    expect(certificate.subjectAltName).toBe('DNS:kubernetes, IP Address:10.96.0.1');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it('end when they are told to', async () => {
    const issued = await authority.issue({ commonName: 'x', lifetimeMs: 3_600_000 });
    const left = new X509Certificate(issued.certificate).validToDate.getTime() - systemClock.now();
    expect(left).toBeGreaterThan(3_500_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
  });

  it('have a fitting pair of keys for tokens', async () => {
    const { privateKey, publicKey } = await newSigningKeys();
    const derived = createPublicKey(createPrivateKey(privateKey)).export({ type: 'spki', format: 'pem' });
    expect(String(derived).replaceAll(/\s/g, '')).toBe(publicKey.replaceAll(/\s/g, ''));
  });
});

describe('the PKI of a bed', () => {
  it('stays the same when it is opened again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pki-'));
    try {
      const first = await openPki(folder, systemClock);
      const made = await first.ensure('admin', { commonName: 'admin' });
      const second = await openPki(folder, systemClock);
      expect(second.ca.keyPair).toEqual(first.ca.keyPair);
      expect(await second.ensure('admin', { commonName: 'admin' })).toEqual(made);
      expect(await readFile(made.certificateFile, 'utf8')).toBe(made.certificate);
      await second.remove('admin');
      expect((await second.ensure('admin', { commonName: 'admin' })).certificate).not.toBe(made.certificate);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

it('a kubeconfig is complete in itself', () => {
  const credentials = { certificate: 'C', key: 'K' };
  const options = { server: 'https://10.60.0.1:6443', ca: 'A', cluster: 'bed', user: 'admin', credentials };
  const decoded = (text: string): string => Buffer.from(text, 'base64').toString();
  const kubeconfig = parse(renderKubeconfig(options)) as {
    readonly clusters: readonly [{ readonly cluster: Record<string, string> }];
    readonly users: readonly [{ readonly user: Record<string, string> }];
  };
  expect(kubeconfig).toMatchObject({
    'current-context': 'bed',
    contexts: [{ name: 'bed', context: { cluster: 'bed', user: 'admin' } }],
  });
  expect(decoded(kubeconfig.clusters[0].cluster['certificate-authority-data'] ?? '')).toBe('A');
  expect(decoded(kubeconfig.users[0].user['client-key-data'] ?? '')).toBe('K');
});
