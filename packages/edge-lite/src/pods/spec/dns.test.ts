import { describe, expect, it } from 'vitest';
import type { PodSpec } from '@selvedge/kube/types';

import { nodeFacts, podWith } from '../testing.ts';
import { parseResolverConfig, podResolver } from './dns.ts';
import { kernelHostname, podHostname } from './hostname.ts';
import { hostsFile } from './hosts-file.ts';
import type { NodeFacts } from './node-facts.ts';

const cluster = {
  servers: ['10.96.0.10'],
  searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'lan'],
  options: ['ndots:5'],
};
const host = { servers: ['192.168.1.1'], searches: ['lan'], options: ['rotate'] };
const resolve = (spec: Partial<PodSpec>, node: Partial<NodeFacts> = {}) =>
  podResolver(podWith(spec), nodeFacts(node));

describe("a pod's resolver", () => {
  it.each([
    ['is the cluster by default', {}, cluster],
    ['is the cluster for ClusterFirst', { dnsPolicy: 'ClusterFirst' }, cluster],
    ['is the node for ClusterFirst on its network', { dnsPolicy: 'ClusterFirst', hostNetwork: true }, host],
    [
      'is the cluster for ClusterFirstWithHostNet',
      { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true },
      cluster,
    ],
    ['is the node for Default', { dnsPolicy: 'Default' }, host],
    ['is nothing for None', { dnsPolicy: 'None' }, { servers: [], searches: [], options: [] }],
  ])('%s', (_title, spec, config) => {
    expect(resolve(spec)).toEqual({ config, events: [] });
  });

  it('joins what the pod adds, without repetitions; its options win', () => {
    const dnsConfig = {
      nameservers: ['1.1.1.1', '10.96.0.10'],
      searches: ['lan', 'shop.example'],
      options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
    };
    expect(resolve({ dnsConfig }).config).toEqual({
      servers: ['10.96.0.10', '1.1.1.1'],
      searches: [...cluster.searches, 'shop.example'],
      options: ['ndots:2', 'edns0'],
    });
  });

  it('falls back to the node, and says so, where the cluster has no DNS', () => {
    const { config, events } = resolve({}, { clusterDNS: [] });
    expect(config).toEqual(host);
    expect(events).toEqual([expect.objectContaining({ reason: 'MissingClusterDNS' })]);
  });

  it('keeps to what resolvers can take, and says what it left out', () => {
    const nameservers = ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'];
    const searches = Array.from({ length: 40 }, (_, i) => `s${i}.example`);
    const { config, events } = resolve({ dnsPolicy: 'None', dnsConfig: { nameservers, searches } });
    expect(config.servers).toEqual(nameservers.slice(0, 3));
    expect(config.searches).toEqual(searches.slice(0, 32));
    expect(events.map(({ reason }) => reason)).toEqual(['DNSConfigForming', 'DNSConfigForming']);
  });

  it.each([
    ['more than 2048 characters', Array.from({ length: 10 }, (_, i) => `${i}${'x'.repeat(249)}`), 8],
    ['a domain of more than 253 characters', ['a', 'x'.repeat(254), 'b'], 2],
  ])('cuts %s of search domains', (_title, searches, left) => {
    const { config } = resolve({ dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], searches } });
    expect(config.searches).toHaveLength(left);
  });
});

describe('resolv.conf', () => {
  it('is read as resolvers do', () => {
    const text = [
      '# comment',
      'nameserver 1.1.1.1',
      '  nameserver   fd00::1  # not a comment here',
      'search old.example',
      'search  lan. . shop.example.',
      'options ndots:1 rotate',
      'options ndots:3',
      'domain ignored.example',
      '',
    ].join('\n');
    expect(parseResolverConfig(text)).toEqual({
      servers: ['1.1.1.1', 'fd00::1'],
      searches: ['lan', 'shop.example'],
      options: ['ndots:3', 'rotate'],
    });
  });
});

describe('the host name', () => {
  it.each([
    [{}, { hostname: 'web', domain: '' }],
    [{ hostname: 'till' }, { hostname: 'till', domain: '' }],
    [
      { hostname: 'till', subdomain: 'db' },
      { hostname: 'till', domain: 'db.shop.svc.cluster.local' },
    ],
    [
      { hostnameOverride: 'a.b.c', subdomain: 'db' },
      { hostname: 'a.b.c', domain: '' },
    ],
  ])('of %o is %o', (spec, name) => {
    expect(podHostname(podWith(spec), 'cluster.local')).toEqual(name);
  });

  it('ends in 63 characters, with a letter or digit', () => {
    const pod = podWith({}, { name: `${'a'.repeat(61)}.-b` });
    expect(podHostname(pod, 'cluster.local').hostname).toBe('a'.repeat(61));
  });

  it('is the full name where that is asked for, if the kernel can hold it', () => {
    const asked = { subdomain: 'db', setHostnameAsFQDN: true };
    expect(kernelHostname(podWith(asked), 'cluster.local')).toBe('web.db.shop.svc.cluster.local');
    const long = podWith({ ...asked, hostname: 'x'.repeat(50) });
    expect(() => kernelHostname(long, 'cluster.local')).toThrow(
      /FQDN x+.* is too long \(64 characters is the max, 76 characters requested\)/,
    );
  });
});

describe('the hosts file', () => {
  const ask = {
    podIPs: ['10.0.0.7', 'fd00::7'],
    clusterDomain: 'cluster.local',
    nodeHosts: '127.0.0.1 gate-1\n',
  };
  const hostAliases = [{ ip: '1.2.3.4', hostnames: ['a.example', 'b.example'] }];

  it('names the pod and its aliases', () => {
    expect(hostsFile({ pod: podWith({ hostname: 'till', subdomain: 'db', hostAliases }), ...ask })).toBe(
      [
        '# Kubernetes-managed hosts file.',
        '127.0.0.1\tlocalhost',
        '::1\tlocalhost ip6-localhost ip6-loopback',
        'fe00::0\tip6-localnet',
        'fe00::0\tip6-mcastprefix',
        'fe00::1\tip6-allnodes',
        'fe00::2\tip6-allrouters',
        '10.0.0.7\ttill.db.shop.svc.cluster.local\ttill',
        'fd00::7\ttill.db.shop.svc.cluster.local\ttill',
        '',
        '# Entries added by HostAliases.',
        '1.2.3.4\ta.example\tb.example',
        '',
      ].join('\n'),
    );
  });

  it("is the node's own on its network", () => {
    expect(hostsFile({ pod: podWith({ hostNetwork: true, hostAliases }), ...ask })).toBe(
      [
        '# Kubernetes-managed hosts file (host network).',
        '127.0.0.1 gate-1',
        '',
        '# Entries added by HostAliases.',
        '1.2.3.4\ta.example\tb.example',
        '',
      ].join('\n'),
    );
  });
});
