import { rootCertificates } from 'node:tls';
import { bootstrapGroupOf } from '@selvedge/api';
import { certificatesOf } from '@selvedge/kit/x509';
import { pinOf } from '@selvedge/kube';
import { describe, expect, it } from 'vitest';
import { newBootstrapToken, parseTokenId } from './bootstrap-token.ts';
import { newClusterInfo, readClusterInfo } from './cluster-info.ts';
import { bindingOf, isGiven } from '../group-rights.ts';
import { joinRights } from './join-rights.ts';
import type { Observed } from './observe.ts';
import { pinOfAuthority } from './pin.ts';
import { planToken } from './plan-token.ts';
import { infoOf, secretOf } from './token-secret.ts';

const [ours = '', another = ''] = rootCertificates;
const pin = pinOf(certificatesOf(ours)[0] ?? raise());
function raise(): never {
  throw new Error('no certificate');
}

const access = { server: 'https://203.0.113.9:6443', certificateAuthority: ours };
const prepared: Observed = {
  needed: [],
  unknown: [],
  inventoryUnread: [],
  bindings: joinRights.map(bindingOf),
  clusterInfo: newClusterInfo('https://api.example.com:6443', ours),
  isClusterInfoOpen: true,
  hasWebhook: true,
  hasHubRole: true,
  existingNodes: [],
  units: [],
  tunnel: { kind: 'known', servers: ['tunnel.example.com:443'], ca: undefined },
  tunnelCa: { text: undefined, isOpen: false },
  kubeletConfig: { text: 'clusterDNS: [10.96.0.10]', isOpen: true },
};
const options = { ttlMs: 1, nodes: ['shop-7'] };
const servers = ['tunnel.example.com:443'];
const unread = (resource: string): Observed['needed'][number] => ({
  right: { group: '', resource, verb: 'list' },
  why: `User "guest" cannot list resource "${resource}"`,
});

describe('a plan for a token', () => {
  it('is empty in a cluster that has all, and goes by what the cluster says of itself', () => {
    expect(planToken(options, prepared, access)).toMatchObject({
      changes: [],
      warnings: [],
      server: 'https://api.example.com:6443',
      caHash: pin,
      tunnelServers: ['tunnel.example.com:443'],
    });
  });

  it('makes what is missing, and nothing else', () => {
    const observed = { ...prepared, bindings: prepared.bindings.slice(1), isClusterInfoOpen: false };
    expect(planToken(options, observed, access).changes.map(({ what }) => what)).toEqual([
      'let tokens of selvedge request certificates: ClusterRoleBinding selvedge:node-bootstrapper',
      'make it readable by everyone: Role kube-public/selvedge:cluster-info',
      'make it readable by everyone: RoleBinding kube-public/selvedge:cluster-info',
    ]);
  });

  it('lets machines read who signs the certificate of the tunnel, and the next one', () => {
    const of = (ca: string | undefined, tunnelCa: Observed['tunnelCa']): readonly string[] => {
      const observed = { ...prepared, tunnel: { kind: 'known', servers: [], ca }, tunnelCa } as const;
      return planToken(options, observed, access).changes.map(({ what }) => what);
    };
    const written =
      'publish the CA of the tunnel certificate: ConfigMap selvedge-system/cloud-manager-tunnel-ca';
    expect(of('PEM', { text: undefined, isOpen: false })).toEqual([
      written,
      'make ConfigMap selvedge-system/cloud-manager-tunnel-ca readable with a token: Role selvedge-system/selvedge:tunnel-ca',
      'make ConfigMap selvedge-system/cloud-manager-tunnel-ca readable with a token: RoleBinding selvedge-system/selvedge:tunnel-ca',
    ]);
    expect(of('PEM', { text: 'PEM', isOpen: true })).toEqual([]);
    expect(of('NEXT', { text: 'PEM', isOpen: true })).toEqual([written]);
    expect(of(undefined, { text: 'PEM', isOpen: true })).toEqual([
      expect.stringMatching(/^delete the published tunnel CA/),
    ]);
  });

  it('lets machines read of the cluster’s DNS, where kubeadm keeps it', () => {
    const of = (kubeletConfig: Observed['kubeletConfig']): readonly string[] =>
      planToken(options, { ...prepared, kubeletConfig }, access).changes.map(({ what }) => what);
    expect(of({ text: 'clusterDNS: []', isOpen: false })).toEqual([
      'make ConfigMap kube-system/kubelet-config readable with a token: Role kube-system/selvedge:kubelet-config',
      'make ConfigMap kube-system/kubelet-config readable with a token: RoleBinding kube-system/selvedge:kubelet-config',
    ]);
    expect(of({ text: undefined, isOpen: false })).toEqual([]);
  });

  it('says where the API server is as the kubeconfig does, where nobody did', () => {
    const { server, changes } = planToken(options, { ...prepared, clusterInfo: undefined }, access);
    expect(server).toBe('https://203.0.113.9:6443');
    expect(changes).toHaveLength(1);
  });

  it.each<[string, Partial<Observed>, Partial<typeof options>, RegExp]>([
    ['is for anybody', {}, { nodes: [] }, /anyone who gets hold of this token/],
    ['is held to its node by nobody', { hasWebhook: false }, {}, /binding to nodes is not enforced/],
    ['is for a node that is there', { existingNodes: ['shop-7'] }, {}, /node shop-7 already exists/],
    ['is of a cluster that has no rights for hubs', { hasHubRole: false }, {}, /cloud side is not set up/],
    [
      'leads to the loopback',
      { clusterInfo: newClusterInfo('https://127.0.0.1:6443', ours) },
      {},
      /other machines cannot reach/,
    ],
    [
      'leads to the loopback of IPv6',
      { clusterInfo: newClusterInfo('https://[::1]:6443', ours) },
      {},
      /other machines cannot reach/,
    ],
  ])('warns of one that %s', (_what, observed, wanted, message) => {
    const { warnings } = planToken({ ...options, ...wanted }, { ...prepared, ...observed }, access);
    expect(warnings).toEqual([expect.stringMatching(message)]);
  });

  it.each<[string, Partial<Observed>, string]>([
    ['what joining needs', { needed: [unread('clusterrolebindings')] }, 'list clusterrolebindings'],
    [
      'what tells whom to trust',
      {
        tunnel: { kind: 'unknown', servers, why: 'no', hint: 'ask', missing: [unread('secrets')] },
        tunnelCa: { text: undefined, isOpen: false, unread: [unread('roles')] },
      },
      'list secrets, list roles',
    ],
    [
      'where it is recorded what it makes',
      { bindings: [], inventoryUnread: [unread('configmaps')] },
      'list configmaps',
    ],
  ])('is refused without the right to read %s', (_what, observed, rights) => {
    expect(() => planToken(options, { ...prepared, ...observed }, access)).toThrow(
      expect.objectContaining({
        code: 'Forbidden',
        message: expect.stringMatching(new RegExp(`^cannot .*: you are not allowed to ${rights}$`)),
        cause: expect.objectContaining({ message: expect.stringContaining('User "guest" cannot') }),
      }),
    );
  });

  it('does without what nothing depends on, and says what is unknown for that', () => {
    const observed: Observed = {
      ...prepared,
      unknown: ['whether node shop-7 already exists is unknown: you are not allowed to get nodes/shop-7'],
      inventoryUnread: [unread('configmaps')],
      tunnel: { kind: 'unknown', servers: [], serversUnknown: 'you may not', why: 'no', hint: 'ask' },
      tunnelCa: { text: undefined, isOpen: false, unread: [unread('roles')] },
      kubeletConfig: { text: 'clusterDNS: []', isOpen: false, unread: [unread('roles')] },
    };
    expect(planToken(options, observed, access)).toMatchObject({
      changes: [],
      tunnelServers: [],
      warnings: [
        ...observed.unknown,
        'whether machines can read of the cluster DNS is unknown: you are not allowed to list roles',
        'you may not, so nodes that join get no tunnel: add --tunnel-server HOST:PORT',
      ],
    });
  });

  it('is none where nobody can know whom to trust', () => {
    const nobody = { server: access.server, certificateAuthority: undefined };
    expect(() => planToken(options, { ...prepared, clusterInfo: undefined }, nobody)).toThrow(
      'no cluster CA',
    );
  });
});

describe('a right', () => {
  const [right = raise()] = joinRights;

  it.each([
    ['to the group itself', right.group, right.role, true],
    ['to all tokens', 'system:bootstrappers', right.role, true],
    ["to kubeadm's tokens", 'system:bootstrappers:kubeadm:default-node-token', right.role, false],
    ['of another role', right.group, 'view', false],
  ])('that was given %s', (_what, group, name, given) => {
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
    expect(isGiven(right, [{ metadata: {}, roleRef, subjects: [{ kind: 'Group', name: group }] }])).toBe(
      given,
    );
  });
});

describe('the authority that is pinned', () => {
  it('is the one that is trusted here, of those that the cluster shows', () => {
    expect(pinOfAuthority(`${another}\n${ours}`, ours)).toBe(pin);
    expect(pinOfAuthority(ours, undefined)).toBe(pin);
    expect(pinOfAuthority('', ours)).toBeUndefined();
  });
});

describe('a token', () => {
  const token = newBootstrapToken((below) => below - 1);

  it('has the form that API servers take', () => {
    expect(token).toEqual({ id: '999999', secret: '9999999999999999' });
  });

  it('is known again by its Secret, without what is secret', () => {
    const scope = { description: 'till', nodes: ['shop.7'], unit: 'shop', expiresAtMs: Date.UTC(2026, 0, 2) };
    const { metadata, stringData = {} } = secretOf(token, scope);
    const data = Object.fromEntries(
      Object.entries(stringData).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    );
    const info = infoOf({ metadata, data }, Date.UTC(2026, 0, 1));
    expect(info).toEqual({
      id: '999999',
      description: 'till',
      nodes: ['shop.7'],
      unit: 'shop',
      isExpired: false,
      expiresAt: '2026-01-02T00:00:00Z',
      groups: ['system:bootstrappers:selvedge:join', bootstrapGroupOf('shop.7')],
    });
    expect(infoOf({ metadata, data }, Date.UTC(2026, 0, 3)).isExpired).toBe(true);
    expect(JSON.stringify(info)).not.toContain(token.secret);
  });

  it('is named by its id alone, and what is typed otherwise is not repeated', () => {
    expect(parseTokenId('abc123')).toBe('abc123');
    expect(() => parseTokenId('abc123.0123456789abcdef')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('0123') }),
    );
  });
});

it('cluster-info is read as it is made', () => {
  const made = newClusterInfo(access.server, ours);
  expect(readClusterInfo({ data: { kubeconfig: made.kubeconfig } })).toEqual(made);
});

it.each([[{}], [{ kubeconfig: '[' }], [{ kubeconfig: '{"clusters":[{"cluster":{}}]}' }]])(
  'cluster-info that says nothing (%j) is refused',
  (data) => {
    expect(() => readClusterInfo({ data })).toThrow('cannot be used');
  },
);
