import { describe, expect, it } from 'vitest';
import { recognize } from './recognize.ts';
import { certificates } from './testing-certificates.ts';
import {
  type FactsParts,
  factsOf,
  k3sNode,
  kubeadmNode,
  kubeletConf,
  plainNode,
  rke2Node,
  unitOf,
} from './testing-facts.ts';
import type { Layout } from './types.ts';

function known(facts: Parameters<typeof recognize>[0]): Layout {
  const recognition = recognize(facts);
  if (recognition.kind === 'unknown') throw new Error(recognition.found.join('\n'));
  return recognition.layout;
}

const pem = '/var/lib/kubelet/pki/kubelet-client-current.pem';
const agent = '/var/lib/rancher/k3s/agent';

describe('a node is recognized', () => {
  it('as one of kubeadm’s', () => {
    expect(known(kubeadmNode())).toEqual({
      kind: 'kubeadm',
      name: 'kubeadm',
      role: 'node',
      obstacles: [],
      converted: false,
      nodeName: 'shop-1',
      kubelet: {
        unit: 'kubelet.service',
        kubeconfig: '/etc/kubernetes/kubelet.conf',
        change: { kind: 'edit' },
      },
      kubeProxy: { kind: 'daemonset' },
      servers: ['https://10.0.0.10:6443'],
      clusterCa: certificates.clusterCa,
      identity: [{ path: pem }],
      runtimeEndpoint: 'unix:///var/run/containerd/containerd.sock',
      cgroupDriver: 'systemd',
      clusterDomain: 'cluster.local',
    });
  });

  it('as one of kubeadm’s while its kubelet does not run, by its unit', () => {
    expect(known(kubeadmNode({ processes: [] }))).toMatchObject({
      kind: 'kubeadm',
      kubelet: { kubeconfig: '/etc/kubernetes/kubelet.conf' },
      kubeProxy: { kind: 'daemonset' },
    });
  });

  it('by flags that go before files', () => {
    const commandLine =
      '/usr/bin/kubelet --kubeconfig=/etc/kubernetes/kubelet.conf --container-runtime-endpoint unix:///run/crio/crio.sock --cgroup-driver=cgroupfs';
    const argv = commandLine.split(' ');
    expect(known(kubeadmNode({ processes: [{ pid: 500, program: 'kubelet', argv }] }))).toMatchObject({
      runtimeEndpoint: 'unix:///run/crio/crio.sock',
      cgroupDriver: 'cgroupfs',
    });
  });

  it('as an agent of k3s, behind whose load balancer are API servers', () => {
    expect(known(k3sNode())).toEqual({
      kind: 'k3s',
      name: 'k3s agent',
      role: 'node',
      obstacles: [],
      converted: false,
      nodeName: 'shop-1',
      kubelet: {
        unit: 'k3s-agent.service',
        kubeconfig: `${agent}/kubelet.kubeconfig`,
        change: { kind: 'argument', folder: '/etc/rancher/k3s/config.yaml.d' },
      },
      kubeProxy: {
        kind: 'argument',
        kubeconfig: `${agent}/kubeproxy.kubeconfig`,
        user: 'system:kube-proxy',
        inPod: false,
      },
      servers: ['https://10.0.0.10:6443', 'https://10.0.0.11:6443'],
      clusterCa: certificates.clusterCa + certificates.clientCa,
      identity: [{ path: `${agent}/client-kubelet.crt` }, { path: `${agent}/client-kubelet.key` }],
      runtimeEndpoint: 'unix:///run/k3s/containerd/containerd.sock',
      cgroupDriver: 'systemd',
      clusterDomain: 'shops.example',
    });
  });

  it('as an agent of RKE2, with the API servers and not those that it joined at', () => {
    expect(known(rke2Node())).toMatchObject({
      kind: 'rke2',
      name: 'RKE2 agent',
      role: 'node',
      servers: ['https://10.0.0.10:6443', 'https://10.0.0.12:6443'],
      kubelet: { unit: 'rke2-agent.service', change: { kind: 'argument', folder: '/srv/rke2.yaml.d' } },
      kubeProxy: { kind: 'argument', inPod: true },
      runtimeEndpoint: 'unix:///run/k3s/containerd/containerd.sock',
    });
  });

  it('as units that somebody made, with certificates in kubeconfigs', () => {
    const kubeconfig = '/var/lib/kubelet/kubeconfig';
    expect(known(plainNode())).toMatchObject({
      kind: 'units',
      nodeName: 'shop-1',
      obstacles: [],
      servers: ['https://server.kubernetes.local:6443'],
      kubelet: { unit: 'kubelet.service', kubeconfig, change: { kind: 'edit' } },
      kubeProxy: {
        kind: 'unit',
        unit: 'kube-proxy.service',
        kubeconfig: '/var/lib/kube-proxy/kubeconfig',
        user: 'system:kube-proxy',
      },
      identity: [
        { path: kubeconfig, field: 'client-certificate-data' },
        { path: kubeconfig, field: 'client-key-data' },
      ],
      cgroupDriver: 'systemd',
      clusterDomain: 'cluster.local',
    });
  });

  it('as converted, with the API servers that edge-lite has', () => {
    const conf = kubeletConf
      .replace(/certificate-authority-data: .*/, 'certificate-authority: /var/lib/selvedge/pki/hub-ca.crt')
      .replace('10.0.0.10:6443', '127.0.0.1:10270');
    const files = {
      '/etc/kubernetes/kubelet.conf': conf,
      '/etc/selvedge/edge-lite.yaml': 'server: {urls: [https://10.0.0.10:6443]}\n',
      '/var/lib/selvedge/pki/ca.crt': certificates.clusterCa,
    };
    expect(known(kubeadmNode({ files }))).toMatchObject({
      converted: true,
      obstacles: [],
      servers: ['https://10.0.0.10:6443'],
      clusterCa: certificates.clusterCa,
    });
    const dropIn = { '/etc/rancher/k3s/config.yaml.d/99-selvedge.yaml': 'kubelet-arg+: []\n' };
    expect(known(k3sNode({ files: dropIn })).converted).toBe(true);
  });
});

describe('a machine is not converted', () => {
  const apiServer = { '/etc/kubernetes/manifests/kube-apiserver.yaml': 'kind: Pod\n' };
  const tokenConf = kubeletConf.replace(/client-certificate: .*\n *client-key: .*/, 'token: xxxx');
  const server = { 'k3s.service': unitOf('ExecStart=/usr/local/bin/k3s server') };
  const inactive = { 'k3s-agent.service': unitOf('', { activeState: 'inactive' }) };
  const node = (parts: FactsParts): Layout => known(kubeadmNode(parts));

  it.each([
    ['that kubeadm made a control plane', node({ files: apiServer }), /runs an API server/],
    ['that serves k3s', known(k3sNode({ units: { ...server, ...inactive } })), /runs an API server/],
    ['without systemd', node({ init: 'runit' }), /PID 1 is runit/],
    ['that another edge agent has', node({ otherAgents: ['yurthub'] }), /yurthub/],
    [
      'whose kubelet has a token',
      node({ files: { '/etc/kubernetes/kubelet.conf': tokenConf } }),
      /no client cert/,
    ],
  ])('%s', (_what, layout, why) => {
    expect(layout.obstacles).toEqual([expect.stringMatching(why)]);
  });

  it('whose certificate is not where its kubeconfig says', () => {
    const { [pem]: _gone, ...files } = kubeadmNode().files;
    expect(known({ ...kubeadmNode(), files }).obstacles).toEqual([`missing: ${pem}`]);
  });
});

describe('what is not known is told', () => {
  it.each([
    ['nothing', factsOf({}), []],
    [
      'a machine with containerd',
      factsOf({ units: { 'containerd.service': unitOf('') } }),
      ['containerd.service (active)'],
    ],
    [
      'a kubelet without a kubeconfig',
      factsOf({ processes: [{ pid: 1, program: 'kubelet', argv: ['kubelet', '--config=/x'] }] }),
      ['kubelet --config=/x'],
    ],
    [
      'a kubeconfig that cannot be read',
      kubeadmNode({ files: { '/etc/kubernetes/kubelet.conf': 'clusters: [' } }),
      [
        'kubeadm: /etc/kubernetes/kubelet.conf: kubeconfig is not YAML',
        'kubelet.service (active)',
        expect.stringContaining('/usr/bin/kubelet'),
      ],
    ],
  ])('%s', (_what, facts, found) => {
    expect(recognize(facts)).toEqual({ kind: 'unknown', found });
  });
});
