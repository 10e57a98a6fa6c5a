import { describe, expect, test } from 'vitest';
import { configUnderTest, describeConfigFile } from '../../../../test/contract/config-suite.ts';
import { checkConfig, loadConfig } from './config.ts';
import { paths } from './paths.ts';

const hash = `sha256:${'0a'.repeat(32)}`;
const minimal = `apiVersion: edge-lite.selvedge.io/v1alpha1
kind: Config
nodeName: shop-7
server:
  urls: [https://203.0.113.9:6443]
  caHash: ${hash}
`;

const config = configUnderTest(checkConfig);
const { parse, findings } = config;

describeConfigFile(config, { minimal, load: loadConfig });

test('defaults fill what is left out, and modules stay off', () => {
  expect(parse(minimal)).toEqual({
    apiVersion: 'edge-lite.selvedge.io/v1alpha1',
    kind: 'Config',
    nodeName: 'shop-7',
    root: '/',
    server: { urls: ['https://203.0.113.9:6443'], caHash: hash, via: 'direct' },
    runtime: {
      endpoint: 'unix:///run/containerd/containerd.sock',
      cgroupDriver: 'cgroupfs',
      cgroupRoot: '/',
    },
    node: { labels: {}, taints: [], leaseDurationSeconds: 40, reserved: { cpu: '0', memory: '0' } },
    modules: {},
    log: { level: 'info' },
  });
  expect(parse(`${minimal}modules: {pods: {}}\n`).modules.pods).toEqual({
    clusterDNS: [],
    clusterDomain: 'cluster.local',
    maxPods: 110,
    kubeletApi: { port: 10_250, address: '0.0.0.0' },
  });
});

test('the pod module brings the hub along, the hub comes alone', () => {
  const defaults = {
    port: 10_270,
    address: '169.254.77.1',
    clients: [],
    operators: ['system:masters', 'kubeadm:cluster-admins'],
    keepUnusedHours: 24,
    maxStateMiB: 256,
  };
  expect(parse(`${minimal}modules: {pods: {}}\n`).modules.hub).toEqual(defaults);
  const alone = parse(`${minimal}modules: {hub: {address: none}}\n`).modules;
  expect(alone).toEqual({ hub: { ...defaults, address: 'none' } });
});

test('the ConfigMap of kube-proxy is one object, and needs an address that pods trust', () => {
  const hub = (fields: string): string => `${minimal}modules: {hub: {${fields}}}\n`;
  expect(parse(hub('kubeProxyConfigMap: kube-system/kube-proxy')).modules.hub?.kubeProxyConfigMap).toEqual({
    namespace: 'kube-system',
    name: 'kube-proxy',
  });
  for (const wrong of ['kube-proxy', 'a/b/c', 'Kube/proxy', '/x']) {
    expect(findings(hub(`kubeProxyConfigMap: ${wrong}`))).toEqual([
      expect.objectContaining({ field: 'modules.hub.kubeProxyConfigMap' }),
    ]);
  }
  expect(findings(hub('address: none, kubeProxyConfigMap: kube-system/kube-proxy'))).toEqual([
    expect.objectContaining({ problem: expect.stringContaining('only with an address') }),
  ]);
});

test('the tunnel brings the hub along too, and takes servers with or without more about them', () => {
  const { hub, pods, tunnel } = parse(`${minimal}modules:
  tunnel:
    servers:
      - tunnel.example.com:443
      - address: '[2001:db8::1]:8443'
        serverName: tunnel-2.example.com
        webSocketUrl: wss://balancer.example.com/edge
        webSocketCaFile: system
    allow: [192.168.7.0/24:502, plc.shop:80-90]
`).modules;
  expect(hub).toMatchObject({ port: 10_270 });
  expect(pods).toBeUndefined();
  expect(tunnel).toEqual({
    domain: 'nodes.selvedge',
    servers: [
      { address: 'tunnel.example.com:443' },
      {
        address: '[2001:db8::1]:8443',
        serverName: 'tunnel-2.example.com',
        webSocketUrl: 'wss://balancer.example.com/edge',
        webSocketCaFile: 'system',
      },
    ],
    carriers: ['tls', 'websocket'],
    allow: ['192.168.7.0/24:502', 'plc.shop:80-90'],
  });
});

test('every finding is told at once, in the order of the lines, with field and expectation', () => {
  const text = `apiVersion: edge-lite.selvedge.io/v1
kind: Config
nodeName: Shop_7
server:
  urls:
    - https://api.example.com:6443
    - http://api.example.com
  caHsh: x
modules:
  pods:
    maxPods: many
    clusterDNS: 10.96.0.10
log: {level: loud}
runtime:
`;
  expect(findings(text)).toEqual([
    {
      line: 1,
      field: 'apiVersion',
      problem: 'expected edge-lite.selvedge.io/v1alpha1, found "edge-lite.selvedge.io/v1"',
    },
    { line: 3, field: 'nodeName', problem: 'expected a lower-case RFC 1123 name, found "Shop_7"' },
    { line: 4, field: 'server.caHash', problem: 'required, but missing' },
    {
      line: 7,
      field: 'server.urls[1]',
      problem: 'expected an https:// URL without path, user or query, found "http://api.example.com"',
    },
    { line: 8, field: 'server.caHsh', problem: 'unknown field' },
    {
      line: 11,
      field: 'modules.pods.maxPods',
      problem: 'expected a whole number from 1 to 500, found "many"',
    },
    {
      line: 12,
      field: 'modules.pods.clusterDNS',
      problem: 'expected a list of IP addresses, found "10.96.0.10"',
    },
    { line: 13, field: 'log.level', problem: 'expected error, warn, info, debug, found "loud"' },
    { line: 14, field: 'runtime', problem: 'expected a mapping, found nothing' },
  ]);
});

test('the API server is reached through the tunnel where there is one', () => {
  const via = minimal.replace('server:', 'server:\n  via: tunnel');
  expect(parse(`${via}modules: {tunnel: {servers: [a:1]}}\n`).server.via).toBe('tunnel');
  expect(findings(via)).toEqual([
    {
      line: 5,
      field: 'server.via',
      problem: 'expected direct, or modules.tunnel too, found a mapping',
    },
  ]);
});

describe('a single wrong field', () => {
  test.each([
    ['node: {ip: 10.0.0}', 'node.ip', 'expected an IP address, found "10.0.0"'],
    ['node: {labels: {a b: c}}', 'node.labels.a b', 'expected a label name, found "a b"'],
    ['node: {labels: {a: 3}}', 'node.labels.a', 'expected a label value, found 3'],
    [
      'node: {taints: [{key: a, effect: Never}]}',
      'node.taints[0].effect',
      'expected NoSchedule, PreferNoSchedule or NoExecute, found "Never"',
    ],
    [
      'node: {leaseDurationSeconds: 3}',
      'node.leaseDurationSeconds',
      'expected a whole number from 4 to 600, found 3',
    ],
    [
      'node: {reserved: {memory: lots}}',
      'node.reserved.memory',
      'expected a quantity such as 250m or 512Mi, found "lots"',
    ],
    [
      'modules: {hub: {address: 10.0.0.1}}',
      'modules.hub.address',
      'expected an IPv4 address in 169.254.0.0/16, or none, found "10.0.0.1"',
    ],
    [
      'modules: {hub: {clients: [{name: system:kube-proxy, kubeconfig: proxy.conf}]}}',
      'modules.hub.clients[0].kubeconfig',
      'expected an absolute path, found "proxy.conf"',
    ],
    ['modules: {tunnel: {}}', 'modules.tunnel.servers', 'required, but missing'],
    [
      'modules: {tunnel: {servers: []}}',
      'modules.tunnel.servers',
      'expected at least one server, found a list',
    ],
    [
      'modules: {tunnel: {servers: [tunnel.example.com]}}',
      'modules.tunnel.servers[0]',
      'expected host:port, found "tunnel.example.com"',
    ],
    [
      'modules: {tunnel: {servers: [{address: 10.0.0.1:443, name: x}]}}',
      'modules.tunnel.servers[0].name',
      'unknown field',
    ],
    [
      'modules: {tunnel: {servers: [{address: a:443, webSocketUrl: https://a/b}]}}',
      'modules.tunnel.servers[0].webSocketUrl',
      'expected a ws:// or wss:// URL without user, query or fragment, found "https://a/b"',
    ],
    [
      'modules: {tunnel: {servers: [a:1], carriers: [tls, quic]}}',
      'modules.tunnel.carriers[1]',
      'expected tls or websocket, found "quic"',
    ],
    [
      'modules: {tunnel: {servers: [a:1], carriers: [tls, tls]}}',
      'modules.tunnel.carriers',
      'expected each carrier once, found a list',
    ],
    [
      'modules: {tunnel: {servers: [a:1], allow: [10.0.0.0/8]}}',
      'modules.tunnel.allow[0]',
      'expected host:port, CIDR:port or CIDR:first-last, found "10.0.0.0/8"',
    ],
    ['root: state', 'root', 'expected an absolute path, found "state"'],
    [
      'runtime: {endpoint: tcp://10.0.0.1}',
      'runtime.endpoint',
      'expected unix:///path/of/a.sock, found "tcp://10.0.0.1"',
    ],
  ])('%s', (line, field, problem) => {
    expect(findings(`${minimal}${line}\n`)).toEqual([{ line: 7, field, problem }]);
  });
});

test('every path lies under the root', () => {
  for (const path of Object.values(paths('/srv/node-1'))) expect(path).toMatch(/^\/srv\/node-1\/var\//);
  expect(paths('/').stateDb).toBe('/var/lib/selvedge/state.db');
  expect(paths('/').podLogs).toBe('/var/log/pods');
});
