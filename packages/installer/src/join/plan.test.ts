import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Step } from '../steps/index.ts';
import { joinPlan } from './describe.ts';
import { configOf, planJoin, type PlanInput } from './plan.ts';
import { testOptions, testRuntime, testSight } from './testing.ts';

const input: PlanInput = {
  nodeName: 'till-5',
  runtime: testRuntime,
  cluster: testSight.cluster,
  program: { sha256: 'f00' },
  archives: [],
};
const kindsOf = (steps: readonly Step[]): readonly string[] => steps.map(({ kind }) => kind);
const find = <K extends Step['kind']>(
  steps: readonly Step[],
  kind: K,
): readonly Extract<Step, { kind: K }>[] =>
  steps.filter((step): step is Extract<Step, { kind: K }> => step.kind === kind);

describe('the steps of a join', () => {
  const steps = planJoin(input, testOptions);

  it('end with the unit, which on the way back ends first', () => {
    expect(steps.at(-1)).toEqual({ kind: 'unit', name: 'edge-lite.service' });
    const kinds = kindsOf(steps);
    // What pods leave is taken away while edge-lite is still there, and after it has ended.
    for (const kind of ['images', 'rules', 'upload', 'file', 'tree']) {
      expect([kind, kinds.indexOf('pods') > kinds.indexOf(kind)]).toEqual([kind, true]);
    }
  });

  it('hold no token', () => {
    expect(JSON.stringify(steps)).not.toContain('0123456789abcdef');
  });

  it('touch nothing of a containerd that serves the CRI', () => {
    expect(find(steps, 'packages')).toEqual([]);
    expect(find(steps, 'edit')).toEqual([]);
    expect(find(steps, 'restart')).toEqual([]);
  });

  it('make only those folders that are not there', () => {
    expect(find(steps, 'tree').map(({ path }) => path)).toEqual([
      '/var/lib/cni',
      '/var/log/pods',
      '/var/log/containers',
      '/etc/selvedge',
      '/var/lib/selvedge',
      '/var/lib/selvedge/pki',
    ]);
  });

  it('switch on the CRI of a containerd of Docker by the smallest edit, and start it again both ways', () => {
    const file = 'disabled_plugins = ["cri"]\n';
    const { containerd } = testRuntime;
    if (containerd === undefined) throw new TypeError('the test machine has a containerd');
    const docker = { ...containerd, file, config: { ...containerd.config, servesCri: false } };
    const all = planJoin({ ...input, runtime: { ...testRuntime, containerd: docker } }, testOptions);
    const [edit] = find(all, 'edit');
    expect(edit).toMatchObject({
      path: '/etc/containerd/config.toml',
      changes: [{ old: '["cri"]', new: '[]' }],
    });
    const around = kindsOf(all).slice(kindsOf(all).indexOf('edit') - 1, kindsOf(all).indexOf('edit') + 2);
    expect(around).toEqual(['restart', 'edit', 'restart']);
    expect(find(all, 'restart').map(({ on }) => on)).toEqual(['undo', 'apply']);
  });

  it('start a containerd that does not run', () => {
    const { containerd } = testRuntime;
    if (containerd === undefined) throw new TypeError('the test machine has a containerd');
    const stopped = { ...testRuntime, containerd: { ...containerd, runs: false } };
    const all = planJoin({ ...input, runtime: stopped }, testOptions);
    expect(find(all, 'unit').map(({ name }) => name)).toEqual(['containerd.service', 'edge-lite.service']);
    expect(kindsOf(all).indexOf('unit')).toBeLessThan(kindsOf(all).indexOf('images'));
  });

  it('install what is missing', () => {
    const { containerd: _gone, ...rest } = testRuntime;
    const runtime = { ...rest, plugins: [], iptables: false };
    const all = planJoin({ ...input, runtime }, { ...testOptions, containerdPackage: 'containerd.io' });
    expect(find(all, 'packages')).toEqual([
      {
        kind: 'packages',
        manager: 'apt',
        names: ['containerd.io', 'containernetworking-plugins', 'iptables'],
        archives: [],
      },
    ]);
    expect(find(all, 'unit').map(({ name }) => name)).toEqual(['containerd.service', 'edge-lite.service']);
    // What packages put into folders that were not there goes with them.
    const last = all.findLastIndex(({ kind }) => kind === 'tree');
    expect(last).toBeLessThan(kindsOf(all).indexOf('packages'));
    const [packages] = find(planJoin({ ...input, runtime, archives: ['a.deb'] }, testOptions), 'packages');
    expect(packages?.archives).toEqual(['a.deb']);
  });

  it('leave the network to others where somebody has configured it, or shall', () => {
    const others = [
      planJoin({ ...input, runtime: { ...testRuntime, networks: ['10-flannel.conflist'] } }, testOptions),
      planJoin(input, { ...testOptions, network: 'none' }),
    ];
    for (const all of others) {
      expect(find(all, 'sysctl')).toEqual([]);
      expect(find(all, 'leftover').map(({ what }) => what)).toEqual(['address']);
    }
  });

  it('are told in words that a person wants, in their order', () => {
    const plan = joinPlan('till-5', steps, []);
    expect(plan.parts[0]?.changes.map(({ what }) => what)).toEqual([
      'write /etc/cni/net.d/99-selvedge.conflist once the node has a podCIDR',
      'set net.ipv4.ip_forward to 1',
      'install /usr/local/bin/edge-lite',
      'write /etc/selvedge/edge-lite.yaml',
      'write the token to /etc/selvedge/token; removed once the node has joined',
      'write /etc/systemd/system/edge-lite.service',
      'start edge-lite.service and enable it at boot',
      'wait until Node till-5 is Ready',
    ]);
  });
});

describe('the config of a lite node', () => {
  it('says what the machine and the cluster are, and leaves the rest to its defaults', () => {
    expect(parse(configOf(input, { ...testOptions, labels: { site: 'a' } }))).toEqual({
      apiVersion: 'edge-lite.selvedge.io/v1alpha1',
      kind: 'Config',
      nodeName: 'till-5',
      server: { urls: [testOptions.server], caHash: testOptions.caHash, tokenFile: '/etc/selvedge/token' },
      runtime: { endpoint: 'unix:///run/containerd/containerd.sock', cgroupDriver: 'systemd' },
      node: { labels: { site: 'a' } },
      modules: {
        hub: {},
        pods: {
          clusterDNS: ['10.96.0.10'],
          clusterDomain: 'cluster.local',
          network: { file: '/etc/cni/net.d/99-selvedge.conflist', bridge: 'selvedge0' },
        },
        tunnel: { servers: ['203.0.113.9:10280'] },
      },
    });
  });

  it('names the authority of the tunnel that the cluster told, which is written before', () => {
    const cluster = { ...testSight.cluster, tunnelCa: 'PEM\n' };
    const path = '/var/lib/selvedge/pki/tunnel-ca.crt';
    expect(parse(configOf({ ...input, cluster }, testOptions))).toMatchObject({
      modules: { tunnel: { servers: ['203.0.113.9:10280'], caFile: path } },
    });
    const files = find(planJoin({ ...input, cluster }, testOptions), 'file');
    expect(files[0]).toEqual({ kind: 'file', path, mode: 0o644, content: 'PEM\n' });
  });

  it('has no tunnel without servers of it', () => {
    const { tunnelServers: _none, ...options } = testOptions;
    const { modules } = parse(configOf(input, options)) as { readonly modules: object };
    expect(Object.keys(modules)).toEqual(['hub', 'pods']);
  });
});
