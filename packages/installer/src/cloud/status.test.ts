import { SelvedgeError, systemClock } from '@selvedge/kit';
import { newAuthority, newCertificate, validFrom } from '@selvedge/kit/x509';
import type { KubeClient } from '@selvedge/kube';
import { expect, test } from 'vitest';
import { egressConfigFile, egressFlag } from './egress/manifest.ts';
import { createReading } from '../reading/index.ts';
import { cloudStatus } from './status.ts';
import type { CloudStatus } from './types.ts';

const { signal } = new AbortController();

const apiServer = (nodeName: string, flags: readonly string[]): object => ({
  spec: { nodeName, containers: [{ name: 'kube-apiserver', command: ['kube-apiserver', ...flags] }] },
});
const pods = [
  apiServer('c1', [`${egressFlag}=${egressConfigFile}`]),
  apiServer('c2', []),
  apiServer('c3', []),
];

const missing = new SelvedgeError('not found', { code: 'NotFound' });
const forbidden = new SelvedgeError('User "guest" cannot', { code: 'Forbidden' });

/** What is known of a cluster with that inventory, and these other objects, by name. */
function statusWith(
  inventory: object | undefined,
  objects: Readonly<Record<string, object>> = {},
): Promise<CloudStatus> {
  const stored = { metadata: {}, data: inventory && { 'inventory.json': JSON.stringify(inventory) } };
  const all: Readonly<Record<string, object>> = { 'selvedge-install': stored, ...objects };
  const cluster = {
    get: async (_resource: object, { name }: { readonly name: string }) => {
      const found = all[name] ?? missing;
      if (found instanceof SelvedgeError) throw found;
      return found;
    },
    listAll: async () => ({ items: pods }),
  } as unknown as KubeClient;
  return cloudStatus(createReading({ cluster, signal }));
}

const machine = (name: string): object => ({ kind: 'machine', phase: 'egress', name, addresses: [] });
const inventory = {
  version: '1.2.3',
  mode: 'unit',
  complete: true,
  tunnelServers: ['tunnel.example.com:443'],
  entries: [machine('c1'), machine('c2')],
};

test.each([
  ['that lost it, and one that joined since', inventory, ['c2', 'c3']],
  ['of none while a run is not finished', { ...inventory, complete: false }, []],
  ['of none with a Deployment, which they do not go through', { ...inventory, mode: 'deployment' }, []],
])('tells which API servers do not go through cloud-manager: %s', async (_which, found, unwired) => {
  expect(await statusWith(found)).toMatchObject({
    kind: 'installed',
    unwired,
  });
});

const servers = ['tunnel.example.com:443'];
const published = { metadata: {}, data: { 'ca.crt': 'PEM' } };

const validity = validFrom(systemClock.now(), 86_400_000);
const encoded = (text: string): string => Buffer.from(text).toString('base64');
const pair = newCertificate(
  { subject: { commonName: 'cloud-manager' }, names: ['tunnel.example.com'], usages: ['server'], validity },
  newAuthority({ name: 'shop-ca', validity }),
);
/** Signed by somebody of whom it says nothing. */
const foreign = {
  metadata: {},
  data: { 'tls.crt': encoded(pair.certificate), 'tls.key': encoded(pair.key) },
};

test.each([
  ['is not there', missing, /does not exist/],
  ['cannot be read', { data: { 'tls.crt': 'eA==' } }, /has no tls.crt and tls.key/],
  [
    'has no ca.crt, and is not by the cluster CA',
    foreign,
    /has no ca.crt, and the cluster CA did not sign it/,
  ],
])('what a person published counts where the Secret of the certificate %s', async (_which, secret, why) => {
  const objects = { 'cloud-manager-tls': secret };
  expect(await statusWith(inventory, objects)).toMatchObject({
    tunnel: { kind: 'unknown', servers, why: expect.stringMatching(why) },
  });
  expect(await statusWith(inventory, { ...objects, 'cloud-manager-tunnel-ca': published })).toMatchObject({
    tunnel: { kind: 'known', servers, ca: 'PEM' },
  });
});

test('an inventory without what it lists is taken for a damaged one', async () => {
  await expect(statusWith(undefined)).rejects.toMatchObject({ code: 'Corrupt' });
});

test.each([
  ['its Secret', 'unit', { 'cloud-manager-tls': forbidden }, /secrets\/cloud-manager-tls/],
  [
    'its Deployment, which names the Secret',
    'deployment',
    { 'cloud-manager': forbidden },
    /deployments\.apps/,
  ],
])('tells all but whom to trust without the right to read %s', async (_what, mode, objects, why) => {
  expect(await statusWith({ ...inventory, mode }, objects)).toMatchObject({
    kind: 'installed',
    mode,
    machines: ['c1', 'c2'],
    tunnel: { kind: 'unknown', servers, why: expect.stringMatching(why), missing: [{}] },
  });
  expect(
    await statusWith({ ...inventory, mode }, { ...objects, 'cloud-manager-tunnel-ca': published }),
  ).toMatchObject({ kind: 'installed', tunnel: { kind: 'known', servers, ca: 'PEM' } });
});
