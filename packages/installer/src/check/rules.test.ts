import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NodeFacts } from '../facts/index.ts';
import type { CheckFacts, Reach } from './facts.ts';
import { judge, rules } from './rules.ts';
import {
  installed,
  sound,
  soundNowMs,
  withCluster,
  withFacts,
  withLayout,
  withMachine,
  withNode,
} from './testing-facts.ts';
import type { Severity } from './types.ts';

const dayMs = 24 * 60 * 60_000;
const node = sound.nodes[0]?.node ?? expect.unreachable();
const info = sound.nodes[0]?.info ?? expect.unreachable();
const apiServer = sound.cluster.apiServers?.[0] ?? expect.unreachable();
const flags = (more: Record<string, string>): CheckFacts =>
  withCluster({ apiServers: [{ ...apiServer, flags: { ...apiServer.flags, ...more } }] });
const isOf = (kubeletVersion: string): CheckFacts => withNode({ info: { ...info, kubeletVersion } });
const ready = withNode({ node: { ...node, isReady: true } });

const proxy = (more: Partial<NodeFacts['processes'][number]> = {}): NodeFacts['processes'][number] => ({
  pid: 7,
  program: 'kube-proxy',
  argv: ['kube-proxy', '--config=/etc/kube-proxy.yaml'],
  lacksProtocols: true,
  ...more,
});

/** Ends on 2027-09-16, of nobody. */
const authority = `-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIUU75kvA0xJdFio08wP8HRKRdIH3gwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjIwNDI1MzlaFw0yNzA5MTYwNDI1Mzla
MA8xDTALBgNVBAMMBHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ5Owo0
NIIy4tHd1LP6er+CfjtoEQJi+Ewj49p4X5s2JfXmKKckFB1YPrpKlIRsbSUGmznT
zSwTZYnqm96BZTEZo1MwUTAdBgNVHQ4EFgQUiDJktXVYZu3QdMgC77BaSHikcVAw
HwYDVR0jBBgwFoAUiDJktXVYZu3QdMgC77BaSHikcVAwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNIADBFAiArIhlB7SYjxNxNZ/6yzEcaw+e70e4DT4tzLOSP
+HqR6wIhAMhDAfEJRF3u1AHSHzbVXdVqhW1xcRTYNI6x9jmyazV3
-----END CERTIFICATE-----`;

const clientCertificate = (days: number): CheckFacts['nodes'][number]['machine'] => {
  const path = '/var/lib/kubelet/pki/kubelet-client-current.pem';
  const one = { commonName: '', issuer: '', notBeforeMs: 0, notAfterMs: soundNowMs + days * dayMs };
  const { machine } =
    withFacts({ certificates: { [path]: one }, files: {} }).nodes[0] ?? expect.unreachable();
  return machine;
};

const binding = {
  metadata: { name: 'kubeadm:node-autoapprove-bootstrap' },
  roleRef: {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
  },
  subjects: [{ kind: 'Group', name: 'system:bootstrappers:kubeadm:default-node-token' }],
};

const tunnelEndsIn = (days: number): CheckFacts['cluster']['cloud'] => installed(soundNowMs + days * dayMs);

const running = tunnelEndsIn(300);
const interrupted = installed(soundNowMs + 300 * dayMs, false);
const lasting = installed(soundNowMs + 300 * dayMs);
const rewrittenSince = { ...lasting, machines: ['cp-2'], unwired: ['cp-2'] };
const joinedSince = { ...lasting, machines: ['cp-2'], unwired: ['cp-3'] };

/** The same, of which the inventory may not be read. */
const byNobody = (({ tunnel, certificate }): CheckFacts['cluster']['cloud'] => ({
  kind: 'unknown',
  why: 'you may not',
  tunnel,
  certificate,
}))(installed(soundNowMs + 80 * dayMs));

const unreadOf = (resource: string): CheckFacts['cluster']['unread'][number] => ({
  right: { group: '', resource, verb: 'list' },
  why: `User "guest" cannot list resource "${resource}"`,
});

interface Reaching {
  readonly what?: Reach['what'];
  readonly cloud?: CheckFacts['cluster']['cloud'];
}

/** Of a machine that comes so far. */
function reaching(kind: Reach['kind'], { what = 'tunnel server', cloud }: Reaching = {}): CheckFacts {
  const target = what === 'API server' ? 'a:6443' : 't:443';
  const facts = withMachine({ reached: [{ target, what, kind }] });
  return cloud === undefined ? facts : { ...facts, cluster: { ...facts.cluster, cloud } };
}

const rows: readonly (readonly [id: string, severity: Severity, what: string | RegExp, facts: CheckFacts])[] =
  [
    ['kubernetes-too-old', 'error', /v1\.29\.9/, withCluster({ version: 'v1.29.9' })],
    ['kubernetes-not-tested', 'warning', /v1\.37\.0/, withCluster({ version: 'v1.37.0' })],
    ['kubernetes-not-tested', 'warning', /v1\.33\.0/, withCluster({ version: 'v1.33.0+k3s1' })],
    ['kubelet-skew', 'error', /v1\.37\.1/, isOf('v1.37.1')],
    ['kubelet-skew', 'error', /v1\.32\.1/, isOf('v1.32.1')],
    [
      'runtime-not-tested',
      'warning',
      /1\.5\.9/,
      withNode({ info: { ...info, containerRuntimeVersion: 'containerd://1.5.9' } }),
    ],
    [
      'runtime-not-tested',
      'warning',
      /cri-o/,
      withNode({ info: { ...info, containerRuntimeVersion: 'cri-o://1.36.0' } }),
    ],
    ['kernel-old', 'warning', /4\.19/, withNode({ info: { ...info, kernelVersion: '4.19.0-27-amd64' } })],
    [
      'rights-missing',
      'error',
      /create customresourcedefinitions\.apiextensions\.k8s\.io/,
      withCluster({
        missingRights: [
          { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions', verb: 'create' },
        ],
      }),
    ],
    ['unreadable', 'warning', /list pods/, withCluster({ unread: [unreadOf('pods')] })],
    [
      'csr-any-name',
      'warning',
      /node-autoapprove-bootstrap/,
      withCluster({ bindings: [binding], guardsJoining: false }),
    ],
    ['node-renewal-off', 'info', /renew/, withCluster({ nodesRenew: false })],
    [
      'node-renewal-off',
      'error',
      /renew/,
      withCluster({ nodesRenew: false, cloud: installed(soundNowMs + 300 * dayMs) }),
    ],
    ['tunnel-certificate-ends', 'warning', /expires on/, withCluster({ cloud: tunnelEndsIn(80) })],
    ['tunnel-certificate-ends', 'warning', /expires on/, withCluster({ cloud: byNobody })],
    ['tunnel-certificate-ends', 'error', /expires on/, withCluster({ cloud: tunnelEndsIn(13) })],
    ['tunnel-certificate-ends', 'error', /expired on/, withCluster({ cloud: tunnelEndsIn(-1) })],
    ['node-restriction-off', 'error', /control-1/, flags({ 'enable-admission-plugins': 'PodSecurity' })],
    ['node-authorizer-off', 'error', /control-1/, flags({ 'authorization-mode': 'RBAC' })],
    ['own-clock', 'warning', /45 s ahead/, withCluster({ ownAheadMs: 45_000 })],
    ['control-plane-hosted', 'info', /hosted/, withCluster({ apiServers: [] })],
    [
      'egress-present',
      'warning',
      /konnectivity/,
      flags({ 'egress-selector-config-file': '/etc/konnectivity.yaml' }),
    ],
    ['egress-gone', 'warning', /cp-2.*rewritten/, withCluster({ cloud: rewrittenSince })],
    ['egress-gone', 'warning', /cp-3.*joined/, withCluster({ cloud: joinedSince })],
    ['kube-proxy-missing', 'info', /DaemonSet/, { ...withCluster({ kubeProxyMode: undefined }), nodes: [] }],
    ['kube-proxy-mode', 'warning', /ipvs/, withCluster({ kubeProxyMode: 'ipvs' })],
    [
      'dns-zone-impossible',
      'warning',
      /Corefile/,
      withCluster({ dns: { coreDns: false, nodes: ['shop-1'] } }),
    ],
    ['dns-off-node', 'info', /shop-1/, withCluster({ dns: { coreDns: true, nodes: [] } })],
    [
      'edge-system-present',
      'error',
      /OpenYurt/,
      withCluster({ otherSystems: ['OpenYurt (nodepools.apps.openyurt.io)'] }),
    ],
    [
      'disruption-budget',
      'info',
      /shop\/web/,
      withCluster({ budgets: [{ namespace: 'shop', name: 'web' }] }),
    ],
    [
      'installation-incomplete',
      'warning',
      /did not finish/,
      withCluster({
        cloud: {
          kind: 'installed',
          version: '1',
          mode: 'unit',
          complete: false,
          tunnel: { kind: 'known', servers: [], ca: undefined },
          made: [],
          changed: [],
          machines: [],
          unwired: [],
        },
      }),
    ],
    [
      'tunnel-signer-unknown',
      'warning',
      /nobody knows who signed .*has no ca\.crt/,
      withCluster({
        cloud: {
          kind: 'external',
          tunnel: { kind: 'unknown', servers: [], why: 'its Secret has no ca.crt', hint: 'add it' },
        },
      }),
    ],
    ['tunnel-caught', 'warning', /203\.0\.113\.7/, withCluster({ caughtAddresses: ['203.0.113.7'] })],
    ['no-nodes', 'warning', /no node/, { ...sound, nodes: [] }],
    ['node-not-ready', 'error', /not Ready/, withNode({ node: { ...node, isReady: false } })],
    ['node-os', 'error', /windows/, withNode({ node: { ...node, os: 'windows' } })],
    ['node-is-lite', 'info', /lite/, withNode({ node: { ...node, isLite: true } })],
    ['node-clock', 'warning', /20 s ahead/, withMachine({ aheadMs: 20_000 })],
    ['node-clock', 'error', /90 s behind/, withMachine({ aheadMs: -90_000 })],
    [
      'node-clock',
      'error',
      /70 s ahead/,
      withNode({ machine: { kind: 'unseen' }, leaseRenewedMs: soundNowMs + 70_000 }),
    ],
    [
      'node-clock',
      'error',
      /300 s behind/,
      withNode({ machine: { kind: 'unseen' }, leaseRenewedMs: soundNowMs - 300_000 }),
    ],
    ['kubelet-port', 'warning', /10260/, withNode({ kubeletPort: 10_260, machine: { kind: 'unseen' } })],
    [
      'address-shared',
      'info',
      /10\.0\.0\.7 \(shop-1, shop-2\)/,
      { ...sound, nodes: [...sound.nodes, ...withNode({ node: { ...node, name: 'shop-2' } }).nodes] },
    ],
    ['bare-pods', 'info', /shop\/once/, withNode({ barePods: ['shop/once'] })],
    [
      'machine-closed',
      'error',
      /no key/,
      withNode({ machine: { kind: 'closed', why: 'it takes no key', hint: '' } }),
    ],
    ['layout-unknown', 'error', /talos/, withMachine({ recognition: { kind: 'unknown', found: ['talos'] } })],
    ['layout-obstacle', 'error', /immutable/, withLayout({ obstacles: ['its files are immutable'] })],
    ['layout-found', 'info', /kubeadm/, sound],
    ['half-converted', 'error', /not running/, withLayout({ converted: true })],
    [
      'other-agent',
      'error',
      /yurthub/,
      withFacts({ selvedge: { journal: false, otherAgents: ['yurthub'] } }),
    ],
    ['no-systemd', 'error', /openrc/, withFacts({ init: 'openrc-init' })],
    ['no-runtime', 'error', /socket/, withFacts({ sockets: [] })],
    ['cgroup-v1', 'info', /cgroup v1/, withFacts({ cgroupVersion: 1 })],
    [
      'disk-full',
      'error',
      /100 MiB/,
      withFacts({ disks: [{ path: '/var/lib', availableBytes: 100 * 2 ** 20 }] }),
    ],
    [
      'disk-full',
      'warning',
      /700 MiB/,
      withFacts({ disks: [{ path: '/var/lib', availableBytes: 700 * 2 ** 20 }] }),
    ],
    ['memory-small', 'warning', /256 MiB/, withFacts({ memoryBytes: 2 ** 28 })],
    [
      'port-taken',
      'error',
      /10270/,
      withFacts({
        ports: [
          { address: '127.0.0.1', port: 10_270 },
          { address: '::', port: 10_250 },
        ],
      }),
    ],
    ['kubelet-silent', 'error', /10250/, withFacts({ ports: [] })],
    ['address-taken', 'error', /169\.254\.77\.1/, withFacts({ addresses: ['169.254.77.1'] })],
    [
      'kernel-feature-missing',
      'error',
      /overlayfs/,
      withFacts({ features: { overlay: false, brNetfilter: true, nfTables: true, ipForward: true } }),
    ],
    [
      'kernel-feature-missing',
      'warning',
      /IPv4/,
      withFacts({ features: { overlay: true, brNetfilter: true, nfTables: true, ipForward: false } }),
    ],
    ['kube-proxy-loses-services', 'warning', /nftables/, withFacts({ processes: [proxy()] })],
    ['not-reached', 'error', /API server a:6443/, reaching('not reached', { what: 'API server' })],
    ['not-reached', 'error', /API server a:6443/, reaching('refused', { what: 'API server' })],
    ['not-reached', 'info', /nothing listens at .* t:443 yet/, reaching('refused')],
    ['not-reached', 'warning', /t:443, which is not installed yet/, reaching('not reached')],
    ['not-reached', 'info', /nothing listens/, reaching('refused', { cloud: interrupted })],
    ['not-reached', 'error', /tunnel server t:443/, reaching('refused', { cloud: running })],
    ['not-reached', 'error', /tunnel server t:443/, reaching('not reached', { cloud: running })],
    ['not-reached', 'error', /tunnel server t:443/, reaching('not reached', { cloud: byNobody })],
    [
      'ca-ends',
      'warning',
      /2027-/,
      withCluster({ ca: authority, nowMs: Date.parse('2027-01-01T00:00:00Z') }),
    ],
    ['ca-ends', 'error', /2027-/, withCluster({ ca: authority, nowMs: Date.parse('2030-01-01T00:00:00Z') })],
    ['kubelet-certificate-ends', 'error', /expired/, withNode({ machine: clientCertificate(-1) })],
    ['kubelet-certificate-ends', 'error', /expires/, withNode({ machine: clientCertificate(3) })],
    [
      'kubelet-certificate-not-renewed',
      'warning',
      /not rotated/,
      withNode({ machine: clientCertificate(100) }),
    ],
  ];

const config = { mode: 0o600, uid: 0, gid: 0, bytes: 1, sha256: '', text: 'mode: "iptables"\n' };

const kubeProxyUnseen = { cluster: { ...sound.cluster, kubeProxyMode: '' } };
const unseenCloud: CheckFacts['cluster']['cloud'] = {
  kind: 'unknown',
  why: 'you may not',
  tunnel: { kind: 'unknown', servers: [], why: 'you may not', hint: 'ask', missing: [unreadOf('secrets')] },
};

/** What is said even where nothing is wrong. */
const always = ['layout-found'];

describe('a check', () => {
  it.each(rows)('finds %s (%s)', (id, severity, what, facts) => {
    const found = judge(facts).filter((one) => one.id === id);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ severity, what: expect.stringMatching(what) });
    expect(found[0]?.why).not.toBe('');
  });

  it('has nothing to say of a cluster with which nothing is wrong', () => {
    expect(judge(ready).map(({ id }) => id)).toEqual(always);
  });

  it('has a row for every rule', () => {
    expect(new Set(rows.map(([id]) => id))).toEqual(new Set(Object.keys(rules)));
  });

  it.each(Object.keys(rules))('tells in %s what to do, unless nothing has to be done', (id) => {
    const found = rows.flatMap(([of, , , facts]) => (of === id ? judge(facts) : []));
    const silent = found.filter((one) => one.id === id && one.severity !== 'info' && one.fix === '');
    expect(silent).toEqual([]);
  });

  it('tells the worst first', () => {
    const facts = withFacts({ cgroupVersion: 1, memoryBytes: 0, sockets: [] });
    expect(judge(facts).map(({ severity }) => severity)).toEqual(['error', 'warning', 'info', 'info']);
  });

  it('leaves an EgressSelector alone that convert has set', () => {
    const set = flags({ 'egress-selector-config-file': '/etc/kubernetes/egress-selector.yaml' });
    expect(judge(set).map(({ id }) => id)).toEqual(always);
  });

  it('tells each thing that may not be read on its own, for whom, and which right is missing', () => {
    const found = judge(withCluster({ unread: [unreadOf('pods'), unreadOf('services')] }));
    expect(found.filter(({ id }) => id === 'unreadable')).toEqual([
      {
        id: 'unreadable',
        severity: 'warning',
        where: 'cluster',
        what: 'you are not allowed to list pods',
        why: 'checks that need it were skipped: User "guest" cannot list resource "pods"',
        fix: expect.stringMatching(/right to list pods .*kubectl auth can-i list pods/),
      },
      expect.objectContaining({ what: 'you are not allowed to list services' }),
    ]);
  });

  it.each<[string, CheckFacts]>([
    ['pods', withCluster({ apiServers: undefined, dns: { coreDns: true, nodes: undefined } })],
    ['the Corefile', withCluster({ dns: { coreDns: undefined, nodes: ['shop-1'] } })],
    ['webhooks', withCluster({ bindings: [binding], guardsJoining: undefined })],
    ['kube-proxy', { ...withNode({ machine: { kind: 'unseen' } }), ...kubeProxyUnseen }],
    ['nodes', { ...withCluster({ unread: [unreadOf('nodes')] }), nodes: [] }],
    ['the signer', withCluster({ cloud: unseenCloud })],
  ])('concludes nothing from %s that may not be read', (_what, facts) => {
    const ids = judge(facts).map(({ id }) => id);
    expect(ids.filter((id) => !['unreadable', ...always].includes(id))).toEqual([]);
  });

  it('leaves joining to our admission where there is one', () => {
    expect(judge(withCluster({ bindings: [binding] })).map(({ id }) => id)).toEqual(always);
  });

  it.each([
    ['that has its /etc/protocols', { processes: [proxy({ lacksProtocols: false })] }],
    [
      'whose flags say another mode',
      { processes: [proxy({ argv: ['kube-proxy', '--proxy-mode=iptables'] })] },
    ],
    ['whose file says another mode', { processes: [proxy()], files: { '/etc/kube-proxy.yaml': config } }],
  ])('lets a kube-proxy be %s', (_which, facts) => {
    expect(judge(withFacts({ certificates: {}, files: {}, ...facts })).map(({ id }) => id)).toEqual(always);
  });

  it('takes port and address of a converted node for what they are', () => {
    const facts = withFacts({
      addresses: ['169.254.77.1'],
      ports: [
        { address: '127.0.0.1', port: 10_270 },
        { address: '::', port: 10_250 },
      ],
      selvedge: { version: '0.1.0', journal: true, otherAgents: [] },
    });
    expect(judge(facts).map(({ id }) => id)).toEqual(always);
  });

  it('says what the reference says', async () => {
    const page = await readFile(join(import.meta.dirname, '../../../../docs/reference/findings.md'), 'utf8');
    const documented = Array.from(page.matchAll(/^\| `([\w-]+)` \|/gm), ([, id]) => id);
    expect(new Set(documented)).toEqual(new Set([...Object.keys(rules), 'api-not-reached']));
    expect(documented).toHaveLength(Object.keys(rules).length + 1);
  });
});
