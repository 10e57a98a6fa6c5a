import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderRegistryConfig } from './config.ts';
import { dockerConfig, htpasswdLine } from './credentials.ts';
import { renderHostsToml } from './hosts.ts';

const config = {
  listen: '10.60.0.1:5000',
  dataFolder: '/bed/registry/data',
  certificateFile: '/bed/pki/registry.crt',
  keyFile: '/bed/pki/registry.key',
  passwordFile: '/bed/registry/htpasswd',
};

it('serves TLS only and lets nobody in without a password', () => {
  expect(parse(renderRegistryConfig(config))).toMatchObject({
    http: {
      addr: '10.60.0.1:5000',
      tls: { certificate: '/bed/pki/registry.crt', key: '/bed/pki/registry.key' },
    },
    auth: { htpasswd: { path: '/bed/registry/htpasswd' } },
    storage: { filesystem: { rootdirectory: '/bed/registry/data' } },
  });
});

it('hashes passwords with bcrypt', async () => {
  const line = await htpasswdLine({ user: 'puller', password: 'se:cret pass' });
  expect(line).toMatch(/^puller:\$2y\$\d\d\$\S{53}\n$/);
});

it('writes credentials as kubectl create secret docker-registry does', () => {
  expect(JSON.parse(dockerConfig('10.60.0.1:5000', { user: 'puller', password: 'secret' }))).toEqual({
    auths: { '10.60.0.1:5000': { username: 'puller', password: 'secret', auth: 'cHVsbGVyOnNlY3JldA==' } },
  });
});

it('leads containerd to the registry by its CA', () => {
  expect(
    renderHostsToml('10.60.0.1:5000', '/certs.d/10.60.0.1:5000/ca.crt'),
  ).toBe(`server = "https://10.60.0.1:5000"
capabilities = ["pull", "resolve"]
ca = "/certs.d/10.60.0.1:5000/ca.crt"
`);
});
