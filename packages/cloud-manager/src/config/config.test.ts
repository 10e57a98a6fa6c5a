import { describe, expect, test } from 'vitest';
import { configUnderTest, describeConfigFile } from '../../../../test/contract/config-suite.ts';
import { checkConfig, loadConfig } from './config.ts';

const minimal = `apiVersion: cloud-manager.selvedge.io/v1alpha1
kind: Config
tunnel:
  listen: ['0.0.0.0:8443', '[::1]:0']
  certificateFile: /pki/tunnel.crt
  keyFile: /pki/tunnel.key
  clientCaFile: /pki/ca.crt
health: {listen: '0.0.0.0:10290', certificateFile: /pki/tunnel.crt, keyFile: /pki/tunnel.key}
`;

const config = configUnderTest(checkConfig);
const { parse, findings } = config;

describeConfigFile(config, { minimal, load: loadConfig });

test('defaults fill what is left out', () => {
  const pair = { certificateFile: '/pki/tunnel.crt', keyFile: '/pki/tunnel.key' };
  expect(parse(minimal)).toEqual({
    apiVersion: 'cloud-manager.selvedge.io/v1alpha1',
    kind: 'Config',
    cluster: {},
    csr: { reserved: [] },
    autonomy: {
      default: { kind: 'period', ms: 86_400_000 },
      gracePeriodSeconds: 40,
      witnessSeconds: 30,
      failover: { perMinute: 6, burst: 3, unitPercent: 50 },
    },
    metricGate: { servers: [] },
    direct: { allow: [] },
    tunnel: {
      listen: [
        { host: '0.0.0.0', port: 8_443 },
        { host: '::1', port: 0 },
      ],
      ...pair,
      clientCaFile: '/pki/ca.crt',
      drainSeconds: 60,
      services: {},
    },
    health: { listen: { host: '0.0.0.0', port: 10_290 }, ...pair },
    leaderElection: {
      leaseName: 'cloud-manager',
      leaseDurationSeconds: 15,
      renewDeadlineSeconds: 10,
      retrySeconds: 2,
    },
    log: { level: 'info' },
  });
});

test('every finding is told at once, in the order of the lines, with field and expectation', () => {
  const text = `apiVersion: cloud-manager.selvedge.io/v1
kind: Config
tunnel:
  listen: [localhost:8443, 0.0.0.0]
  certificateFile: tunnel.crt
  clientCaFile: /pki/ca.crt
  advertise: https://example.com
  drainSecs: 3
health:
webhook:
  listen: 0.0.0.0:99999
  reach: {}
log: {level: loud}
`;
  expect(findings(text)).toEqual([
    {
      line: 1,
      field: 'apiVersion',
      problem: 'expected cloud-manager.selvedge.io/v1alpha1, found "cloud-manager.selvedge.io/v1"',
    },
    { line: 3, field: 'tunnel.keyFile', problem: 'required, but missing' },
    {
      line: 4,
      field: 'tunnel.listen[0]',
      problem: 'expected an IP address and a port, such as 0.0.0.0:8443, found "localhost:8443"',
    },
    {
      line: 4,
      field: 'tunnel.listen[1]',
      problem: 'expected an IP address and a port, such as 0.0.0.0:8443, found "0.0.0.0"',
    },
    {
      line: 5,
      field: 'tunnel.certificateFile',
      problem: 'expected an absolute path, found "tunnel.crt"',
    },
    {
      line: 7,
      field: 'tunnel.advertise',
      problem:
        'expected a host name or IP address and a port, such as tunnel.example.com:443, found "https://example.com"',
    },
    { line: 8, field: 'tunnel.drainSecs', problem: 'unknown field' },
    { line: 9, field: 'health', problem: 'expected a mapping, found nothing' },
    {
      line: 11,
      field: 'webhook.listen',
      problem: 'expected an IP address and a port, such as 0.0.0.0:8443, found "0.0.0.0:99999"',
    },
    { line: 12, field: 'webhook.reach', problem: 'expected either url or service, found a mapping' },
    { line: 13, field: 'log.level', problem: 'expected error, warn, info, debug, found "loud"' },
  ]);
});

describe('the certificate of the webhook', () => {
  const hook = (more: string): string =>
    `${minimal}webhook: {listen: '[::]:1', reach: {service: {namespace: a, name: b}}${more}}`;
  const made = { hosts: [], validityDays: 90, authorityDays: 1_825, overlapSeconds: 300 };

  test('is made unless all of it is given by files', () => {
    expect(parse(hook('')).webhook?.certificate).toEqual({ kind: 'made', ...made });
    const hosts = ', certificate: {hosts: [hook.example.com, "fd00::1"]}';
    expect(parse(hook(hosts)).webhook?.certificate).toMatchObject({
      hosts: ['hook.example.com', 'fd00::1'],
    });
    const files = { certificateFile: '/c', keyFile: '/k', caFile: '/ca' };
    const given = ', certificateFile: /c, keyFile: /k, caFile: /ca';
    expect(parse(hook(given)).webhook?.certificate).toEqual({ kind: 'files', ...files });
    for (const mixed of [', certificateFile: /c, keyFile: /k', `${given}, certificate: {}`]) {
      expect(findings(hook(mixed))).toEqual([
        expect.objectContaining({ field: 'webhook', problem: expect.stringMatching(/together/) as string }),
      ]);
    }
  });

  test.each([
    ['hosts: [a_b]', '.hosts[0]'],
    ['validityDays: 398', '.validityDays'],
    ['validityDays: 90, authorityDays: 179', ''],
    ['overlapSeconds: 0', '.overlapSeconds'],
  ])('cannot have %s', (wrong, field) => {
    expect(findings(hook(`, certificate: {${wrong}}`))).toEqual([
      expect.objectContaining({ field: `webhook.certificate${field}` }),
    ]);
  });
});

describe('a single wrong field', () => {
  test.each([
    ['serverName: Cloud_1', 'serverName', 'expected a lower-case RFC 1123 name, found "Cloud_1"'],
    [
      'cluster: {kubeconfig: admin.conf}',
      'cluster.kubeconfig',
      'expected an absolute path, found "admin.conf"',
    ],
    [
      'leaderElection: {retrySeconds: 1.5}',
      'leaderElection.retrySeconds',
      'expected a whole number from 1 to 600, found 1.5',
    ],
    [
      'leaderElection: {renewDeadlineSeconds: 15}',
      'leaderElection',
      'expected leaseDurationSeconds above renewDeadlineSeconds, and that above 1.2 times retrySeconds, found a mapping',
    ],
  ])('%s', (line, field, problem) => {
    expect(findings(`${minimal}${line}\n`)).toEqual([{ line: 9, field, problem }]);
  });
});

test('what is reserved are names, addresses and networks', () => {
  const reserved = ['vip.example.com', '192.0.2.1', 'fd00::1', '10.0.0.0/8', 'fd00::/8'];
  expect(parse(`${minimal}csr: {reserved: ${JSON.stringify(reserved)}}`).csr).toEqual({ reserved });
  expect(findings(`${minimal}csr: {reserved: ['10.0.0.0/33', a_b]}`)).toEqual([
    expect.objectContaining({ field: 'csr.reserved[0]' }),
    expect.objectContaining({ field: 'csr.reserved[1]' }),
  ]);
});

test('autonomy is off, forever or a period', () => {
  const autonomy = (text: string): string => `${minimal}\nautonomy: {default: ${text}}`;
  expect(parse(autonomy('forever')).autonomy.default).toEqual({ kind: 'forever' });
  expect(parse(autonomy('1h30m')).autonomy.default).toEqual({ kind: 'period', ms: 5_400_000 });
  expect(findings(autonomy('tomorrow'))).toEqual([
    expect.objectContaining({
      field: 'autonomy.default',
      problem:
        'expected off, forever, or a duration of hours, minutes and seconds such as 72h or 1h30m, found "tomorrow"',
    }),
  ]);
});

test('servers of metrics are URLs; what is secret is for https alone', () => {
  const servers = (text: string): string => `${minimal}metricGate: {servers: [${text}]}`;
  const url = 'https://metrics:9090/api/v1/';
  const both = `{url: ${url}, caFile: /ca, bearerTokenFile: /token}, {url: 'http://[::1]:9090'}`;
  expect(parse(servers(both)).metricGate.servers).toEqual([
    { url, caFile: '/ca', bearerTokenFile: '/token' },
    { url: 'http://[::1]:9090' },
  ]);
  for (const bad of [
    'ftp://m',
    'metrics:9090',
    'https://u@m',
    'https://:p@m',
    'https://m?a',
    'https://m#a',
  ]) {
    expect(findings(servers(`{url: '${bad}'}`))).toEqual([
      expect.objectContaining({ field: 'metricGate.servers[0].url' }),
    ]);
  }
  for (const secret of ['caFile: /ca', 'bearerTokenFile: /token']) {
    expect(findings(servers(`{url: 'http://m', ${secret}}`))).toEqual([
      expect.objectContaining({ field: 'metricGate.servers[0]' }),
    ]);
  }
});

test('services have names and addresses, and are for all nodes unless some are named', () => {
  const services = (text: string): string => minimal.replace('tunnel:', `tunnel:\n  services: ${text}`);
  const both = '{kube-apiserver: {addresses: [10.0.0.1:6443]}, mirror: {addresses: [m:80], nodes: [shop-1]}}';
  expect(parse(services(both)).tunnel.services).toEqual({
    'kube-apiserver': { addresses: [{ host: '10.0.0.1', port: 6_443 }] },
    mirror: { addresses: [{ host: 'm', port: 80 }], nodes: ['shop-1'] },
  });
  expect(findings(services('{Mirror: {addresses: [m:80]}, b: {addresses: []}, c: {nodes: [Shop]}}'))).toEqual(
    [
      'tunnel.services.Mirror',
      'tunnel.services.b.addresses',
      'tunnel.services.c.addresses',
      'tunnel.services.c.nodes[0]',
    ].map((field) => expect.objectContaining({ field }) as unknown),
  );
});

describe('the egress', () => {
  const files = 'certificateFile: /c, keyFile: /k';
  const tls = `listen: '0.0.0.0:8132', ${files}, clientCaFile: /ca`;

  test('is served on a Unix socket, over TLS or both; names are none unless given', () => {
    expect(parse(`${minimal}egress: {unixSocket: /run/e.sock, tls: {${tls}}}`).egress).toEqual({
      unixSocket: '/run/e.sock',
      tls: {
        listen: { host: '0.0.0.0', port: 8_132 },
        certificateFile: '/c',
        keyFile: '/k',
        clientCaFile: '/ca',
        clients: [],
        servers: [],
      },
    });
    expect(parse(`${minimal}kubeletProxy: {listen: '[::]:10250'}`).kubeletProxy).toEqual({
      listen: { host: '::', port: 10_250 },
      domain: 'nodes.selvedge',
      nodeNetworks: [],
    });
  });

  test('dials nothing of its own machine unless a network is allowed', () => {
    const { direct } = parse(`${minimal}direct: {allow: ['127.0.0.0/8', '::1/128']}`);
    expect(direct).toEqual({ allow: ['127.0.0.0/8', '::1/128'] });
    expect(findings(`${minimal}direct: {allow: [localhost]}`)).toEqual([
      expect.objectContaining({ field: 'direct.allow[0]' }),
    ]);
  });

  test.each([
    ['{}', 'egress', 'unixSocket, tls or both'],
    [`{unixSocket: /${'x'.repeat(96)}}`, 'egress.unixSocket', 'an absolute path of at most 96 bytes'],
    [`{tls: {${tls}, clients: ['']}}`, 'egress.tls.clients[0]', 'a common name'],
    [
      `{tls: {${tls}, apiServer: {caFile: /ca, ${files}}}}`,
      'egress.tls',
      'with apiServer, its address or advertise: where it connects',
    ],
  ])('%s is refused at %s', (egress, field, expected) => {
    const found = findings(`${minimal}egress: ${egress}`);
    expect(found).toEqual([
      expect.objectContaining({ field, problem: expect.stringContaining(expected) as string }),
    ]);
  });

  test('that is for other servers only leaves the webhook its Service', () => {
    const hook = `webhook: {listen: '[::]:1', ${files}, caFile: /ca, reach: {service: {namespace: a, name: b}}}`;
    const own = `${tls}, servers: [s], advertise: '10.0.0.1:8132', serverName: s.example.com`;
    expect(parse(`${minimal}egress: {tls: {${own}}}\n${hook}`).egress?.tls?.serverName).toBe('s.example.com');
    expect(findings(`${minimal}egress: {tls: {${own}, clients: [api]}}\n${hook}`)).toEqual([
      expect.objectContaining({ field: 'webhook.reach.service' }),
    ]);
  });

  test('does not carry what the webhook of this program is asked: it has an address of its own', () => {
    const hook = (reach: string): string =>
      `${minimal}egress: {unixSocket: /e.sock}\nwebhook: {listen: '[::]:1', ${files}, caFile: /ca, reach: ${reach}}`;
    expect(parse(hook('{url: "https://10.0.0.1:9443"}')).webhook?.reach.service).toBeUndefined();
    expect(findings(hook('{service: {namespace: a, name: b}}'))).toEqual([
      expect.objectContaining({ field: 'webhook.reach.service' }),
    ]);
  });
});
