import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type BedDescription, defaultControlPlane } from '../description.ts';
import { withNode, withSite } from '../description-edit.ts';
import { renderKubeconfig } from '../pki/kubeconfig.ts';
import { bedFolders } from '../state/folders.ts';
import { podRoutes, renderConflist } from './cni.ts';
import { renderContainerdConfig } from './containerd.ts';
import { hubAccess } from './hub.ts';
import { isReady } from './node.ts';
import { renderKubeletConfig } from './stock-config.ts';

const empty: BedDescription = {
  schema: 1,
  name: 'bed',
  index: 3,
  controlPlane: defaultControlPlane,
  sites: [],
  nodes: [],
};

describe('routes between the pods of a site', () => {
  const sites = withSite(withSite(empty, { name: 'a' }), { name: 'b' });
  const bed = [
    ['n1', 'a'],
    ['n2', 'a'],
    ['m1', 'b'],
  ].reduce((before, [name = '', site = '']) => withNode(before, { name, site }), sites);
  const ranges = bed.nodes.map(({ name }, position) => ({ node: name, podCidr: `10.244.${position}.0/24` }));
  const routes = bed.nodes.map((node) => podRoutes(bed, node, ranges));

  it('lead to the neighbours, never into another site', () => {
    expect(routes).toEqual([
      ['route replace 10.244.1.0/24 via 192.168.50.12'],
      ['route replace 10.244.0.0/24 via 192.168.50.11'],
      [],
    ]);
  });
});

it('a conflist gives the pods the node’s range', () => {
  const conflist = JSON.parse(
    renderConflist({ name: 'x', podCidr: '10.244.1.0/24', addresses: '/ipam' }),
  ) as {
    readonly plugins: readonly { readonly type: string; readonly ipam?: { readonly ranges: unknown } }[];
  };
  expect(conflist.plugins.map(({ type }) => type)).toEqual(['bridge', 'portmap']);
  expect(conflist.plugins[0]?.ipam?.ranges).toEqual([[{ subnet: '10.244.1.0/24' }]]);
});

it('two kubelets share neither a cgroup nor a folder', () => {
  const config = (name: string): Record<string, unknown> =>
    parse(
      renderKubeletConfig({
        folders: bedFolders('/beds', 'bed').node(name),
        cgroupRoot: `/selvedge-bed/${name}`,
        caFile: '/ca.crt',
        serving: { certificateFile: '/k.crt', keyFile: '/k.key' },
        clusterDns: '10.96.0.10',
      }),
    ) as Record<string, unknown>;
  const [one, other] = [config('a'), config('b')];
  for (const field of ['cgroupRoot', 'containerRuntimeEndpoint', 'podLogsDir', 'resolvConf']) {
    expect(one[field]).not.toEqual(other[field]);
  }
});

it('the programs of a converted node trust the authority that its hub keeps on disk', () => {
  const folders = bedFolders('/beds', 'bed').node('a');
  const credentials = { certificate: 'C', key: 'K' };
  const text = renderKubeconfig({ ...hubAccess(folders), cluster: 'c', user: 'u', credentials });
  const { clusters } = parse(text) as { readonly clusters: readonly { readonly cluster: unknown }[] };
  expect(clusters[0]?.cluster).toEqual({
    server: 'https://127.0.0.1:10270',
    'certificate-authority': '/beds/bed/nodes/a/root/var/lib/selvedge/pki/hub-ca.crt',
  });
});

it('a converted node has a kube-proxy and, if asked for, a CoreDNS', () => {
  const bed = withSite(empty, { name: 'a' });
  const [plain, dns] = withNode(withNode(bed, { name: 'p', agent: 'converted' }), {
    name: 'd',
    agent: 'converted',
    dns: true,
  }).nodes;
  expect(plain).toMatchObject({ kubeProxy: true, dns: false });
  expect(dns).toMatchObject({ kubeProxy: true, dns: true });
});

describe('containerd’s configuration', () => {
  const base = {
    root: '/r',
    state: '/s',
    socket: '/c.sock',
    runc: '/bin/runc',
    cniBinaries: '/cni',
    cniConfiguration: '/net.d',
    registries: '/certs.d',
    pauseImage: 'pause:1',
  };
  it.each([
    ['1.6', 'version = 2', 'sandbox_image = "pause:1"', 'bin_dir = "/cni"'],
    ['2.4', 'version = 3', 'sandbox = "pause:1"', 'bin_dirs = ["/cni"]'],
  ] as const)('of %s speaks its language', (version, ...lines) => {
    const text = renderContainerdConfig({ ...base, version }).split('\n');
    for (const line of [...lines, 'restrict_oom_score_adj = true', 'netns_mounts_under_state_dir = true']) {
      expect(text).toContain(line);
    }
  });
});

describe('a node', () => {
  const node = (status: string, lastHeartbeatTime: string): Parameters<typeof isReady>[0] => ({
    metadata: { name: 'n' },
    spec: {},
    status: { conditions: [{ type: 'Ready', status, lastHeartbeatTime }] },
  });
  const start = Date.parse('2026-01-01T00:00:10.700Z');
  it.each([
    ['said so since', node('True', '2026-01-01T00:00:10Z'), true],
    ['said so before its power was cut', node('True', '2026-01-01T00:00:09Z'), false],
    ['says no', node('False', '2026-01-01T00:00:11Z'), false],
    ['has not spoken yet', { metadata: { name: 'n' }, spec: {} }, false],
  ])('is ready again only if it %s', (_, seen, expected) => {
    expect(isReady(seen, start)).toBe(expected);
  });
});
