import { rootCertificates } from 'node:tls';
import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { certificatesOf } from '@selvedge/kit/x509';
import { type ObjectRef, clusterInfoSignatureKey, pinOf, signWithToken } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import { type ExamineDeps, dnsIn, examineCluster } from './examine-cluster.ts';
import { testOptions } from './testing.ts';
import type { JoinClient } from './types.ts';

const { signal } = new AbortController();
const ca = rootCertificates[0] ?? '';
const [caHash = ''] = certificatesOf(ca).map(pinOf);
const options = { ...testOptions, caHash };
const [id = '', secret = ''] = options.token.split('.');

/** As a cluster has it for this token, or for none. */
function clusterInfo(signedWith: string | undefined): unknown {
  const cluster = { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const kubeconfig = JSON.stringify({ clusters: [{ name: '', cluster }] });
  if (signedWith === undefined) return { data: { kubeconfig } };
  const signature = signWithToken(kubeconfig, { id, secret: signedWith });
  return { data: { kubeconfig, [clusterInfoSignatureKey(id)]: signature } };
}

interface Cluster {
  readonly info: () => unknown;
  /** The answer to whether the token may ask for a certificate. */
  readonly allowed?: boolean | SelvedgeError;
  readonly kubelet?: string;
  readonly tunnelCa?: string;
}

function depsOf({ info, allowed = true, kubelet, tunnelCa }: Cluster): ExamineDeps & {
  readonly clock: ReturnType<typeof createManualClock>;
} {
  const configMaps: Readonly<Record<string, object>> = {
    ...(kubelet === undefined ? {} : { 'kube-system/kubelet-config': { kubelet } }),
    ...(tunnelCa === undefined ? {} : { 'selvedge-system/cloud-manager-tunnel-ca': { 'ca.crt': tunnelCa } }),
  };
  const client = {
    create: async () => {
      if (allowed instanceof SelvedgeError) throw allowed;
      return { metadata: {}, status: { allowed } };
    },
    get: async (_resource: object, { namespace, name }: ObjectRef) => {
      const data = configMaps[`${namespace}/${name}`];
      if (data === undefined) throw new SelvedgeError('not found', { code: 'NotFound' });
      return { metadata: {}, data };
    },
    close: () => Promise.resolve(),
  };
  const clock = createManualClock();
  return {
    clock,
    signal,
    // What is asked of it has these answers.
    connect: () => client as unknown as JoinClient,
    readInfo: async () => ({ configMap: info(), serverTimeMs: clock.now() + 3_000 }),
  };
}

describe('a cluster that is to be joined', () => {
  it('tells its clock, its DNS and the authority of its tunnel', async () => {
    const kubelet = 'clusterDNS: [10.96.0.10]\nclusterDomain: shop.local\n';
    const deps = depsOf({ info: () => clusterInfo(secret), kubelet, tunnelCa: 'PEM' });
    expect(await examineCluster(options, deps)).toEqual({
      aheadMs: 3_000,
      dns: { servers: ['10.96.0.10'], domain: 'shop.local' },
      tunnelCa: 'PEM',
    });
  });

  it('may keep that to itself', async () => {
    expect(await examineCluster(options, depsOf({ info: () => clusterInfo(secret) }))).toEqual({
      aheadMs: 3_000,
    });
    expect([dnsIn(''), dnsIn('clusterDNS: 1'), dnsIn('clusterDNS: []')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('signs a new token some seconds after it was made', async () => {
    let asked = 0;
    const deps = depsOf({ info: () => clusterInfo((asked += 1) > 2 ? secret : undefined) });
    const examined = examineCluster(options, deps);
    await deps.clock.asleep();
    await deps.clock.advance(2_000);
    await examined;
    expect(asked).toBe(3);
  });

  const expired = new SelvedgeError('Unauthorized', { code: 'Unauthenticated' });
  it.each<readonly [string, Cluster, RegExp]>([
    [
      'that another secret signed',
      { info: () => clusterInfo('fedcba9876543210') },
      /not signed by the secret/,
    ],
    [
      'that it does not take',
      { info: () => clusterInfo(secret), allowed: expired },
      /rejects the bootstrap token/,
    ],
    [
      'that may not join',
      { info: () => clusterInfo(secret), allowed: false },
      /is not allowed to request a certificate/,
    ],
  ])('refuses a token %s, with what to do', async (_what, cluster, message) => {
    const refusal = await examineCluster(options, depsOf(cluster)).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ message: expect.stringMatching(message), hint: expect.any(String) });
    expect(String(refusal)).not.toContain(secret);
  });

  it('does not know a token that it never signs', async () => {
    const deps = depsOf({ info: () => clusterInfo(undefined) });
    const examined = examineCluster(options, deps).catch((error: unknown) => error);
    await deps.clock.asleep();
    await deps.clock.advance(15_000);
    expect(await examined).toMatchObject({
      code: 'Unauthenticated',
      message: `${options.server} does not know the bootstrap token ${id}`,
      hint: expect.stringContaining('selvedge token create'),
    });
  });

  it('is not the one with another CA', async () => {
    const other = { ...options, caHash: testOptions.caHash };
    const examined = examineCluster(other, depsOf({ info: () => clusterInfo(secret) }));
    await expect(examined).rejects.toThrow(`is not the pinned one (${testOptions.caHash})`);
  });
});
