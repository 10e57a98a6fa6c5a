import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadKubeconfig, parseKubeconfig, type ClusterAccess } from './kubeconfig.ts';

const config = (cluster: object, user: object, extra: object = {}): string =>
  stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'x', context: { cluster: 'c', user: 'u' } },
      { name: 'y', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
    ],
    'current-context': 'x',
    ...extra,
  });
const parse = (text: string, context?: string): ClusterAccess =>
  parseKubeconfig(text, { folder: '/etc/kube', context });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('kubeconfigs', () => {
  it('reads files, relative to the folder, and inline data, which goes first', () => {
    const cluster = { 'certificate-authority': 'ca.crt', 'tls-server-name': 'kubernetes' };
    const user = {
      'client-certificate': '/pki/a.crt',
      'client-certificate-data': base64('CERT'),
      'client-key': 'a.key',
    };
    expect(parse(config(cluster, user))).toEqual({
      server: 'https://10.0.0.1:6443',
      serverName: 'kubernetes',
      namespace: 'default',
      credentials: {
        certificateAuthority: { file: '/etc/kube/ca.crt' },
        certificate: { text: 'CERT' },
        privateKey: { file: '/etc/kube/a.key' },
        bearerToken: undefined,
      },
    });
  });

  it('prefers a token file to a token', () => {
    expect(parse(config({}, { token: 't' })).credentials.bearerToken).toEqual({ text: 't' });
    expect(parse(config({}, { token: 't', tokenFile: 't.jwt' })).credentials.bearerToken).toEqual({
      file: '/etc/kube/t.jwt',
    });
  });

  it('gives a program that makes credentials to who asks for it', () => {
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './bin/login',
      args: ['get-token'],
      env: [{ name: 'REGION', value: 'eu' }],
    };
    const give = (user: object): ClusterAccess =>
      parseKubeconfig(config({}, user), { folder: '/etc/kube', exec: 'give' });
    expect(give({ exec }).exec).toEqual({
      ...exec,
      command: '/etc/kube/bin/login',
      env: { REGION: 'eu' },
      installHint: undefined,
    });
    expect(give({ exec: { ...exec, command: 'login' } }).exec?.command).toBe('login');
    expect(give({ token: 't' }).exec).toBeUndefined();
    expect(() => give({ exec: { ...exec, args: 'x' } })).toThrow('exec.args is not a list of strings');
    expect(() => give({ exec, as: 'root' })).toThrow('user field as is not supported');
  });

  it('takes another context than the current one', () => {
    expect(parse(config({}, {}), 'y').namespace).toBe('shop');
  });

  it.each([
    [{}, { exec: { command: 'aws' } }, 'user field exec'],
    [{}, { 'auth-provider': { name: 'gcp' } }, 'user field auth-provider'],
    [{}, { username: 'a', password: 'b' }, 'user field username'],
    [{}, { as: 'root' }, 'user field as'],
    [{ 'insecure-skip-tls-verify': true }, {}, 'cluster field insecure-skip-tls-verify'],
    [{ 'proxy-url': 'http://proxy' }, {}, 'cluster field proxy-url'],
  ])('refuses what it does not do: %j %j', (cluster, user, what) => {
    expect(() => parse(config(cluster, user))).toThrow(
      expect.objectContaining({ code: 'Unsupported', message: `kubeconfig: ${what} is not supported` }),
    );
  });

  it.each([
    ['a: [', 'kubeconfig is not YAML'],
    ['a: *b', 'kubeconfig is not YAML'],
    ['', 'kubeconfig: there is no context ""'],
    [config({}, {}, { 'current-context': 'z' }), 'kubeconfig: there is no context "z"'],
    [config({}, {}, { users: [] }), 'kubeconfig: there is no user "u"'],
    [config({ server: '' }, {}), 'kubeconfig: the cluster has no server'],
    [config({ server: 7 }, {}), 'kubeconfig: server is not a string'],
    [config({}, { 'client-key': 'k' }), 'kubeconfig: client-certificate and client-key come together'],
  ])('says what is wrong', (text, message) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'Invalid', message }));
  });

  it('says which file cannot be read', async () => {
    await expect(loadKubeconfig('/nowhere/config')).rejects.toMatchObject({
      code: 'NotFound',
      message: 'kubeconfig /nowhere/config cannot be read',
    });
  });
});
