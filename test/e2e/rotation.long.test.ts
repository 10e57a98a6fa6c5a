import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Bed, connect, nameBed, waitFor } from '@selvedge/bed';
import { systemClock } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentLog, stateFolder } from './support/edge-lite.ts';

/** The signer is told to issue for three minutes, so this is a bed of its own. It backdates by five. */
const name = await nameBed('rotate');
const node = 'lite-rotating';
let bed: Bed;
let client: KubeClient;
const { signal } = new AbortController();

beforeAll(async () => {
  const controlPlane = { signingDuration: '3m' };
  bed = await Bed.up({ name, controlPlane, nodes: [{ name: node, agent: 'lite' }] });
  client = await connect(bed.kubeconfig, 'selvedge-e2e');
});
afterAll(async () => {
  await client.close();
  await Bed.down(name);
});

async function certificate(): Promise<X509Certificate> {
  return new X509Certificate(await readFile(join(stateFolder(bed, node), 'pki/client.pem')));
}

async function renewedAt(): Promise<number> {
  const lease = await client.get(resources.leases, { namespace: 'kube-node-lease', name: node }, { signal });
  return Date.parse(lease.spec?.renewTime ?? '');
}

describe('a certificate that is good for three minutes', () => {
  let first: X509Certificate;

  it('is replaced before it ends, by one for the same node and another key', async () => {
    first = await certificate();
    const wait = { what: 'another certificate', timeoutMs: 180_000, everyMs: 500 };
    const second = await waitFor(wait, systemClock, async () => {
      const now = await certificate();
      return now.serialNumber !== first.serialNumber && now;
    });
    expect(second.subject).toBe(first.subject);
    expect(second.publicKey.equals(first.publicKey)).toBe(false);
    expect(Date.parse(second.validTo)).toBeGreaterThan(Date.parse(first.validTo));
    expect(Date.now()).toBeLessThan(Date.parse(first.validTo));
  }, 200_000);

  it('is not missed when it has ended: the node goes on being heard', async () => {
    const end = Date.parse(first.validTo);
    const wait = { what: 'a Lease renewed later than that', timeoutMs: 240_000, everyMs: 1_000 };
    await waitFor(wait, systemClock, async () => (await renewedAt()) > end);
    const problems = (await agentLog(bed, node)).filter(({ level }) => level === 'error');
    expect(problems).toEqual([]);
  }, 260_000);
});
