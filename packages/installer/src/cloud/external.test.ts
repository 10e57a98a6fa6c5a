import { SelvedgeError, systemClock } from '@selvedge/kit';
import { newAuthority, newCertificate, validFrom } from '@selvedge/kit/x509';
import type { KubeObject, ObjectRef, Resource } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import { createReading } from '../reading/index.ts';
import { externalServers } from './external.ts';
import { cloudStatus } from './status.ts';
import type { CloudStatus } from './types.ts';

const validity = validFrom(systemClock.now(), 86_400_000);
const cluster = newAuthority({ name: 'kubernetes', validity });
const own = newAuthority({ name: 'shop-ca', validity });
const names = ['tunnel.example.com', 'cloud-manager.selvedge-system.svc'];
const signedBy = (authority: typeof own): { readonly certificate: string; readonly key: string } =>
  newCertificate(
    { subject: { commonName: 'cloud-manager' }, names, usages: ['server'], validity },
    authority,
  );
const { signal } = new AbortController();

const notThere = new SelvedgeError('not found', { code: 'NotFound' });
const deploymentOf = (secretName: string): object => ({
  metadata: { name: 'cloud-manager', labels: { 'app.kubernetes.io/version': '1.2.3' } },
  spec: { template: { spec: { volumes: [{ name: 'config' }, { name: 'tls', secret: { secretName } }] } } },
});
const secretOf = (pair: ReturnType<typeof signedBy>, ca: string | undefined): KubeObject => {
  const texts = {
    'tls.crt': pair.certificate,
    'tls.key': pair.key,
    ...(ca === undefined ? {} : { 'ca.crt': ca }),
  };
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  return { metadata: {}, data } as KubeObject;
};
const service = { spec: { type: 'LoadBalancer', ports: [{ name: 'tunnel', port: 443 }] } };

/** What is known of a cluster with these objects, by plural and name. */
function statusOf(objects: Readonly<Record<string, object>>): Promise<CloudStatus> {
  const get = async <T extends KubeObject>({ plural }: Resource<T>, { name }: ObjectRef): Promise<T> => {
    const root = { 'configmaps/kube-root-ca.crt': { data: { 'ca.crt': cluster.certificate } } };
    const all: Readonly<Record<string, object>> = { ...root, ...objects };
    const found = all[`${plural}/${name}`];
    if (found instanceof SelvedgeError) throw found;
    if (found === undefined) throw notThere;
    return found as T;
  };
  const listAll = (): Promise<never> => Promise.reject(notThere);
  return cloudStatus(createReading({ cluster: { get, listAll }, signal }));
}

const helms = (secret: object): Readonly<Record<string, object>> => ({
  'deployments/cloud-manager': deploymentOf('my-tls'),
  'secrets/my-tls': secret,
  'services/cloud-manager-tunnel': service,
});

describe('cloud-manager that helm alone installed', () => {
  it.each([
    ['an authority of its own', secretOf(signedBy(own), own.certificate), own.certificate],
    ['the cluster CA', secretOf(signedBy(cluster), cluster.certificate), undefined],
    ['the cluster CA, which its Secret does not say', secretOf(signedBy(cluster), undefined), undefined],
  ])('is known, with a certificate by %s', async (_what, secret, ca) => {
    expect(await statusOf(helms(secret))).toMatchObject({
      kind: 'external',
      version: '1.2.3',
      tunnel: { kind: 'known', servers: ['tunnel.example.com:443'], ca },
      certificate: { names, notAfter: expect.any(String) },
    });
  });

  it.each([
    [
      'has no ca.crt',
      helms(secretOf(signedBy(own), undefined)),
      /has no ca.crt, and the cluster CA did not sign it/,
    ],
    [
      'has no certificate',
      helms({ metadata: {}, data: {} }),
      /my-tls, of the certificate of the tunnel, has no tls.crt/,
    ],
    [
      'is not there',
      { ...helms({}), 'secrets/my-tls': notThere },
      /my-tls, of the certificate of the tunnel, does not exist/,
    ],
    [
      'may not be read',
      { ...helms({}), 'secrets/my-tls': new SelvedgeError('no', { code: 'Forbidden' }) },
      /not allowed to get secrets\/my-tls in selvedge-system/,
    ],
    [
      'is not mounted',
      { 'deployments/cloud-manager': { metadata: {}, spec: { template: { spec: { volumes: [] } } } } },
      /no volume `tls`/,
    ],
  ])('is not known where its Secret %s, with what to do', async (_what, objects, why) => {
    expect(await statusOf(objects)).toMatchObject({
      tunnel: {
        kind: 'unknown',
        why: expect.stringMatching(why),
        hint: expect.stringContaining('create configmap cloud-manager-tunnel-ca --from-file=ca.crt'),
      },
    });
  });

  it('is known as a person published it, where its Secret does not tell', async () => {
    const ca = 'PEM of theirs';
    const published = { 'configmaps/cloud-manager-tunnel-ca': { metadata: {}, data: { 'ca.crt': ca } } };
    const objects = { ...helms(secretOf(signedBy(own), undefined)), ...published };
    expect(await statusOf(objects)).toMatchObject({
      tunnel: { kind: 'known', servers: ['tunnel.example.com:443'], ca },
    });
    const told = { ...helms(secretOf(signedBy(own), own.certificate)), ...published };
    expect(await statusOf(told)).toMatchObject({ tunnel: { ca: own.certificate } });
  });

  it('is not there without its Deployment', async () => {
    expect(await statusOf({})).toEqual({ kind: 'none' });
  });
});

const forbidden = new SelvedgeError('User "guest" cannot', { code: 'Forbidden' });
const sound = helms(secretOf(signedBy(own), own.certificate));

describe('of cloud-manager that one may not read all of', () => {
  it('all is told but where nodes connect, without its Service', async () => {
    expect(await statusOf({ ...sound, 'services/cloud-manager-tunnel': forbidden })).toMatchObject({
      kind: 'external',
      tunnel: {
        kind: 'known',
        ca: own.certificate,
        servers: [],
        serversUnknown: 'you are not allowed to get services/cloud-manager-tunnel in selvedge-system',
      },
      certificate: { names },
    });
  });

  it('what a person published is told in place of its Secret', async () => {
    const published = { 'configmaps/cloud-manager-tunnel-ca': { metadata: {}, data: { 'ca.crt': 'PEM' } } };
    expect(await statusOf({ ...sound, ...published, 'secrets/my-tls': forbidden })).toMatchObject({
      tunnel: { kind: 'known', ca: 'PEM', servers: [], serversUnknown: expect.stringMatching(/my-tls/) },
    });
  });

  it('each right is named without which nobody knows whom to trust', async () => {
    const unpublished = { 'configmaps/cloud-manager-tunnel-ca': forbidden };
    const why =
      'you are not allowed to get secrets/my-tls in selvedge-system, and you are not allowed to get configmaps/cloud-manager-tunnel-ca in selvedge-system';
    expect(await statusOf({ ...sound, ...unpublished, 'secrets/my-tls': forbidden })).toMatchObject({
      tunnel: {
        kind: 'unknown',
        why,
        hint: expect.stringMatching(/administrator .*secrets\/my-tls.* or publish/),
        missing: [{ right: { resource: 'secrets' } }, { right: { resource: 'configmaps' } }],
      },
    });
    // It is for the Secret, whoever may read.
    const withoutCa = await statusOf({ ...helms(secretOf(signedBy(own), undefined)), ...unpublished });
    expect(withoutCa).toMatchObject({
      tunnel: { kind: 'unknown', why: expect.stringMatching(/no ca\.crt/) },
    });
    expect(withoutCa).not.toHaveProperty('tunnel.missing');
  });

  it('the authority that its Secret names is told, whether or not the one of the cluster may be read', async () => {
    const unread = { 'configmaps/kube-root-ca.crt': forbidden };
    expect(await statusOf({ ...sound, ...unread })).toMatchObject({ tunnel: { ca: own.certificate } });
    const unnamed = helms(secretOf(signedBy(cluster), undefined));
    expect(await statusOf({ ...unnamed, ...unread })).toMatchObject({
      tunnel: { kind: 'unknown', missing: [{ right: { name: 'kube-root-ca.crt' } }] },
    });
  });

  it('all is told but who installed it, without the inventory', async () => {
    expect(await statusOf({ ...sound, 'configmaps/selvedge-install': forbidden })).toMatchObject({
      kind: 'unknown',
      why: 'you are not allowed to get configmaps/selvedge-install in selvedge-system',
      version: '1.2.3',
      tunnel: { kind: 'known', servers: ['tunnel.example.com:443'], ca: own.certificate },
      certificate: { names },
    });
  });

  it.each([
    [
      'without its Deployment',
      { 'deployments/cloud-manager': forbidden },
      /deployments\.apps\/cloud-manager/,
    ],
    ['where there is no Deployment', { 'configmaps/selvedge-install': forbidden }, /configmaps\/selvedge-i/],
  ])('nobody knows whether it is there %s', async (_what, objects, why) => {
    expect(await statusOf(objects)).toMatchObject({
      kind: 'unknown',
      why: expect.stringMatching(why),
      tunnel: { kind: 'unknown', servers: [], serversUnknown: expect.stringMatching(why) },
    });
  });
});

describe('where nodes connect', () => {
  const ofType = (type: string) => ({
    spec: { type, ports: [{ name: 'tunnel', port: 443, nodePort: 30_443 }] },
  });

  it.each([
    [['tunnel.example.com', '203.0.113.7'], ofType('LoadBalancer'), ['tunnel.example.com:443']],
    [['203.0.113.7', '2001:db8::7'], ofType('LoadBalancer'), ['203.0.113.7:443', '[2001:db8::7]:443']],
    [['tunnel.example.com'], ofType('NodePort'), ['tunnel.example.com:30443']],
    [['tunnel.example.com'], ofType('ClusterIP'), []],
    [['tunnel.example.com'], undefined, []],
    [
      [
        '*.example.com',
        'localhost',
        'cloud-manager.selvedge-system',
        'cloud-manager.selvedge-system.svc',
        'x.selvedge-system.svc.cluster.local',
      ],
      ofType('LoadBalancer'),
      [],
    ],
  ])('of %j is known by the Service', (all, of, servers) => {
    expect(externalServers(all, of)).toEqual(servers);
  });
});
