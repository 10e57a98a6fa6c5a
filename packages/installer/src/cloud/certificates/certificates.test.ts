import { X509Certificate, createPrivateKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { certificateIn, pairSecret, wantedNames, whyRenew } from './secret.ts';
import { newTunnelAuthority, newTunnelCertificate } from './tunnel.ts';

const now = Date.UTC(2026, 0, 1);
const dayMs = 86_400_000;
const names = ['tunnel.example.com', '192.0.2.1', 'fd00::1'];
const authority = newTunnelAuthority(now);

describe('the certificate of the tunnel', () => {
  test('is for what agents are told, and for the other servers', () => {
    const servers = ['tunnel.example.com', 'Tunnel.example.com', 'fd00:0::1'].map((host) => ({
      host,
      port: 443,
    }));
    expect(wantedNames(servers)).toEqual([
      'tunnel.example.com',
      'fd00::1',
      'cloud-manager.selvedge-system.svc',
    ]);
  });

  test('is signed by the authority, for all names, of a server and of a client', () => {
    const { certificate, key } = newTunnelCertificate({ names, now }, authority);
    const [signer, serving] = [new X509Certificate(authority.certificate), new X509Certificate(certificate)];
    expect(serving.checkIssued(signer) && serving.verify(signer.publicKey)).toBe(true);
    expect(serving.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect([serving.checkHost('tunnel.example.com'), serving.checkIP('192.0.2.1')]).not.toContain(undefined);
    expect(serving.checkIP('fd00::1')).toBe('fd00::1');
    expect(serving.subject).toBe('CN=cloud-manager');
    expect(serving.validToDate.getTime()).toBe(now + 365 * dayMs);
    expect(signer.validToDate.getTime()).toBe(now + 3_650 * dayMs);
    expect(serving.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect([signer.ca, serving.ca]).toEqual([true, false]);
  });

  test('is renewed in its last third, and for another name', () => {
    const pair = newTunnelCertificate({ names, now }, authority);
    const seen = certificateIn(pairSecret('a', pair, authority.certificate));
    const why = (wanted: readonly string[], days: number): string | undefined =>
      whyRenew(seen, { names: wanted, now: now + days * dayMs });
    expect(why(['tunnel.example.com', 'fd00::1'], 200)).toBeUndefined();
    expect(why(['tunnel.example.com'], 250)).toBe('the current one expires in 115 days');
    expect(why(['other.example.com'], 0)).toContain('other.example.com');
    expect(whyRenew(undefined, { names, now })).toBe('there is none yet');
    expect(certificateIn({ metadata: {}, data: { 'tls.crt': 'YQ==', 'tls.key': 'YQ==' } })).toBeUndefined();
  });
});
