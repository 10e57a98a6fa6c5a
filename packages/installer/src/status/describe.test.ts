import { describe, expect, it } from 'vitest';
import type { CloudStatus } from '../cloud/index.ts';
import { describeStatus } from './describe.ts';

const told = (cloud: CloudStatus): readonly string[] =>
  describeStatus({ server: 'api:6443', cloud, units: [], nodes: [], unread: [] }).split('\n');
const certificate = { names: ['tunnel.example.com'], notAfter: '2027-01-31T00:00:00.000Z' };

describe('cloud-manager that helm alone installed', () => {
  it('is told of like one of ours', () => {
    const tunnel = { kind: 'known', servers: ['tunnel.example.com:443'], ca: 'PEM' } as const;
    expect(told({ kind: 'external', version: '1.2.3', tunnel, certificate })).toEqual([
      'Selvedge 1.2.3, cloud-manager as a deployment that selvedge convert did not make (helm, kubectl)',
      'tunnel: tunnel.example.com:443',
      'tunnel certificate expires on 2027-01-31',
    ]);
  });

  it('says why nobody knows whom to trust', () => {
    const tunnel = { kind: 'unknown', servers: [], why: 'its Secret has no ca.crt', hint: 'add it' } as const;
    expect(told({ kind: 'external', tunnel }).slice(1)).toEqual([
      'tunnel: none',
      '  its CA is unknown: its Secret has no ca.crt',
    ]);
  });
});

describe('cloud-manager that one may not read all of', () => {
  const right = { group: '', resource: 'secrets', verb: 'get', namespace: 'selvedge-system', name: 'my-tls' };
  const why = 'you are not allowed to get configmaps/selvedge-install in selvedge-system';
  const tunnel = { kind: 'unknown', servers: [], serversUnknown: why, why, hint: 'ask' } as const;

  it('is not said to be installed, nor not to be', () => {
    expect(told({ kind: 'unknown', why, tunnel })).toEqual([
      `whether Selvedge is installed in this cluster is unknown: ${why}`,
    ]);
  });

  it('is told of as far as it is known', () => {
    expect(told({ kind: 'unknown', why, version: '1.2.3', tunnel, certificate })).toEqual([
      `Selvedge 1.2.3, cloud-manager as a deployment; whether selvedge convert made it is unknown: ${why}`,
      `tunnel: unknown: ${why}`,
      `  its CA is unknown: ${why}`,
      'tunnel certificate expires on 2027-01-31',
    ]);
  });

  it('says at the end which rights are missing, and for whom', () => {
    const unread = [{ right, why: 'User "guest" cannot get resource "secrets"' }];
    const result = { server: 'api:6443', cloud: { kind: 'none' }, units: [], nodes: [], unread } as const;
    expect(describeStatus(result).split('\n').slice(1)).toEqual([
      'what you are not allowed to read is unknown here:',
      '  get secrets/my-tls in selvedge-system: User "guest" cannot get resource "secrets"',
      expect.stringMatching(/^ {2}have a cluster administrator give you the right to get secrets\/my-tls/),
    ]);
  });
});

it('an API server that lost its way through cloud-manager, or never had one, is named', () => {
  const lines = told({
    kind: 'installed',
    version: '1.2.3',
    mode: 'unit',
    complete: true,
    tunnel: { kind: 'known', servers: ['tunnel.example.com:443'], ca: undefined },
    made: [],
    changed: [],
    machines: ['cp-1', 'cp-2'],
    unwired: ['cp-2', 'cp-3'],
  });
  expect(lines).toEqual([
    'Selvedge 1.2.3, cloud-manager as a unit',
    'tunnel: tunnel.example.com:443',
    expect.stringMatching(/^the API server on cp-2 does NOT go .* was rewritten since; .* selvedge convert$/),
    expect.stringMatching(/^the API server on cp-3 does NOT go .* it joined since; .* selvedge convert$/),
  ]);
});
