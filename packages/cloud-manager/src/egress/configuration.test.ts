import { expect, test } from 'vitest';
import type { EgressConfig } from '../config/index.ts';
import { egressSelectorConfiguration } from './configuration.ts';

const tls: NonNullable<EgressConfig['tls']> = {
  listen: { host: '0.0.0.0', port: 8_132 },
  certificateFile: '/c',
  keyFile: '/k',
  clientCaFile: '/ca',
  clients: ['api'],
  servers: [],
};
const apiServer = { caFile: '/api/ca', certificateFile: '/api/crt', keyFile: '/api/key' };

const written = (transport: object): object => ({
  apiVersion: 'apiserver.k8s.io/v1beta1',
  kind: 'EgressSelectorConfiguration',
  egressSelections: [{ name: 'cluster', connection: { proxyProtocol: 'HTTPConnect', transport } }],
});

test('the API server goes to the Unix socket, or over TLS with the files that it has for it', () => {
  const uds = { udsName: '/run/e.sock' };
  expect(egressSelectorConfiguration({ unixSocket: '/run/e.sock', tls })).toEqual(written({ uds }));
  const tlsConfig = { caBundle: '/api/ca', clientCert: '/api/crt', clientKey: '/api/key' };
  for (const [host, url] of [
    ['egress.example', 'https://egress.example:8132'],
    ['2001:db8::1', 'https://[2001:db8::1]:8132'],
  ] as const) {
    const config = {
      unixSocket: '/run/e.sock',
      tls: { ...tls, apiServer, advertise: { host, port: 8_132 } },
    };
    expect(egressSelectorConfiguration(config)).toEqual(written({ tcp: { url, tlsConfig } }));
  }
});

test('a config that says neither is an error', () => {
  expect(() => egressSelectorConfiguration({ tls })).toThrow(/no apiServer/);
});
