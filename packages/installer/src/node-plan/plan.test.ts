import { changeText } from '../steps/index.ts';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { NodeFacts } from '../facts/index.ts';
import { recognize } from '../layouts/index.ts';
import { clusterCaHash } from '../layouts/testing-certificates.ts';
import { type FactsParts, k3sNode, kubeadmNode, plainNode, rke2Node } from '../layouts/testing-facts.ts';
import type { Step } from '../steps/index.ts';
import { describeSteps } from './describe.ts';
import { planConversion } from './plan.ts';
import type { ConversionOptions } from './types.ts';

const options: ConversionOptions = {
  executable: { source: 'edge-lite-linux-x64', sha256: 'ab'.repeat(32) },
  unit: '[Service]\nExecStart=/usr/local/bin/edge-lite run\n',
  tunnel: { servers: ['tunnel.example.com:443'], ca: undefined },
};

function plan(facts: NodeFacts, more: Partial<ConversionOptions> = {}): readonly Step[] {
  const recognition = recognize(facts);
  if (recognition.kind === 'unknown') throw new Error(recognition.found.join('\n'));
  return planConversion(facts, recognition.layout, { ...options, ...more });
}

const short = (step: Step): string => {
  if (step.kind === 'restart') return `restart ${step.name} on ${step.on}`;
  const { path, name } = { path: undefined, name: undefined, ...step };
  return [step.kind, path ?? name].filter((word) => word !== undefined).join(' ');
};
const contentOf = (steps: readonly Step[], path: string): string =>
  steps.flatMap((step) => (step.kind === 'file' && step.path === path ? step.content : []))[0] ?? '';
const configOf = (facts: NodeFacts, more?: Partial<ConversionOptions>): unknown =>
  parse(contentOf(plan(facts, more), '/etc/selvedge/edge-lite.yaml'));

const edgeLite = [
  'folder /etc/selvedge',
  'tree /var/lib/selvedge',
  'tree /var/lib/selvedge/pki',
  'leftover 169.254.77.1',
  'upload /usr/local/bin/edge-lite',
  'file /var/lib/selvedge/pki/ca.crt',
  'copy /var/lib/selvedge/pki/client.pem',
];
const started = [
  'file /etc/selvedge/edge-lite.yaml',
  'reload',
  'file /etc/systemd/system/edge-lite.service',
  'reload',
  'unit edge-lite.service',
  'await /var/lib/selvedge/pki/hub-ca.crt',
];

describe('a node of kubeadm', () => {
  it('gets a hub first, and then two lines in kubelet.conf', () => {
    const facts = kubeadmNode();
    const steps = plan(facts);
    expect(steps.map(short)).toEqual([
      'times',
      ...edgeLite,
      ...started,
      'restart kubelet.service on undo',
      'edit /etc/kubernetes/kubelet.conf',
      'restart kubelet.service on apply',
    ]);
    const before = facts.files['/etc/kubernetes/kubelet.conf']?.text ?? '';
    const after = steps.flatMap((step) => (step.kind === 'edit' ? changeText(before, step.changes) : []));
    const lines = before.split('\n');
    lines[3] = '    certificate-authority: /var/lib/selvedge/pki/hub-ca.crt';
    lines[4] = '    server: https://127.0.0.1:10270';
    expect(after).toEqual([lines.join('\n')]);
  });

  it('has a config that says where the cloud is, and that kube-proxy is led by a view', () => {
    expect(configOf(kubeadmNode())).toEqual({
      apiVersion: 'edge-lite.selvedge.io/v1alpha1',
      kind: 'Config',
      nodeName: 'shop-1',
      server: { urls: ['https://10.0.0.10:6443'], caHash: clusterCaHash },
      runtime: { endpoint: 'unix:///var/run/containerd/containerd.sock', cgroupDriver: 'systemd' },
      modules: {
        hub: { kubeProxyConfigMap: 'kube-system/kube-proxy' },
        tunnel: { servers: ['tunnel.example.com:443'] },
      },
    });
  });

  it('takes what a person says before what is found', () => {
    const said = { servers: ['https://api.example.com:443/'], hubPort: 11_270 };
    expect(configOf(kubeadmNode(), said)).toMatchObject({
      server: { urls: ['https://api.example.com'] },
      modules: { hub: { port: 11_270 } },
    });
    const edits = plan(kubeadmNode(), said).flatMap((step) => (step.kind === 'edit' ? step.changes : []));
    expect(edits.map((one) => one.new)).toContain('server: https://127.0.0.1:11270');
  });
});

describe('the tunnel of a node', () => {
  const [servers, ca] = [['tunnel.example.com:443'], 'PEM\n'];
  const caFile = '/var/lib/selvedge/pki/tunnel-ca.crt';

  it('is trusted by the authority that the cloud tells, which is there before edge-lite', () => {
    const tunnel = { servers, ca };
    expect(configOf(kubeadmNode(), { tunnel })).toMatchObject({ modules: { tunnel: { servers, caFile } } });
    const steps = plan(kubeadmNode(), { tunnel });
    expect(steps).toContainEqual({ kind: 'file', path: caFile, mode: 0o644, content: ca });
    const [file, unit] = [`file ${caFile}`, 'unit edge-lite.service'].map((one) =>
      steps.map(short).indexOf(one),
    );
    expect(file).toBeLessThan(unit ?? 0);
  });

  it('is none without servers', () => {
    const tunnel = { servers: [], ca };
    const { modules } = configOf(kubeadmNode(), { tunnel }) as { readonly modules: object };
    expect(Object.keys(modules)).toEqual(['hub']);
    expect(contentOf(plan(kubeadmNode(), { tunnel }), caFile)).toBe('');
  });
});

describe('an agent of k3s', () => {
  const agent = '/var/lib/rancher/k3s/agent';

  it('gets kubeconfigs beside its own, which it writes at each start, and arguments that name them', () => {
    const steps = plan(k3sNode());
    expect(steps.map(short)).toEqual([
      'times',
      ...edgeLite,
      ...started,
      'file /etc/selvedge/kubelet.kubeconfig',
      'file /etc/selvedge/kube-proxy.kubeconfig',
      'restart k3s-agent.service on undo',
      'folder /etc/rancher/k3s',
      'folder /etc/rancher/k3s/config.yaml.d',
      'file /etc/rancher/k3s/config.yaml.d/99-selvedge.yaml',
      'restart k3s-agent.service on apply',
    ]);
    expect(parse(contentOf(steps, '/etc/rancher/k3s/config.yaml.d/99-selvedge.yaml'))).toEqual({
      'kubelet-arg+': ['kubeconfig=/etc/selvedge/kubelet.kubeconfig'],
      'kube-proxy-arg+': ['kubeconfig=/etc/selvedge/kube-proxy.kubeconfig'],
    });
    expect(parse(contentOf(steps, '/etc/selvedge/kubelet.kubeconfig'))).toMatchObject({
      clusters: [
        {
          cluster: {
            server: 'https://127.0.0.1:10270',
            'certificate-authority': '/var/lib/selvedge/pki/hub-ca.crt',
          },
        },
      ],
      users: [{ user: { 'client-certificate': `${agent}/client-kubelet.crt` } }],
    });
  });

  it('lets the hub act for kube-proxy with the kubeconfig of k3s', () => {
    expect(configOf(k3sNode())).toMatchObject({
      server: { urls: ['https://10.0.0.10:6443', 'https://10.0.0.11:6443'], caHash: clusterCaHash },
      modules: {
        hub: {
          clusterDomain: 'shops.example',
          clients: [{ name: 'system:kube-proxy', kubeconfig: `${agent}/kubeproxy.kubeconfig` }],
        },
      },
    });
  });

  it('of RKE2 is changed in the same way', () => {
    expect(plan(rke2Node()).map(short).slice(-5)).toEqual([
      'restart rke2-agent.service on undo',
      'folder /srv',
      'folder /srv/rke2.yaml.d',
      'file /srv/rke2.yaml.d/99-selvedge.yaml',
      'restart rke2-agent.service on apply',
    ]);
  });
});

describe('plain units', () => {
  it('are both edited, and the hub keeps what kube-proxy came with', () => {
    const steps = plan(plainNode());
    expect(steps.map(short)).toEqual([
      'times',
      ...edgeLite,
      'copy /etc/selvedge/kube-proxy.kubeconfig',
      ...started,
      'restart kubelet.service on undo',
      'edit /var/lib/kubelet/kubeconfig',
      'restart kubelet.service on apply',
      'restart kube-proxy.service on undo',
      'edit /var/lib/kube-proxy/kubeconfig',
      'restart kube-proxy.service on apply',
    ]);
    expect(steps).toContainEqual({
      kind: 'copy',
      from: [
        { path: '/var/lib/kubelet/kubeconfig', field: 'client-certificate-data' },
        { path: '/var/lib/kubelet/kubeconfig', field: 'client-key-data' },
      ],
      path: '/var/lib/selvedge/pki/client.pem',
      mode: 0o600,
    });
    expect(configOf(plainNode())).toMatchObject({
      modules: {
        hub: { clients: [{ name: 'system:kube-proxy', kubeconfig: '/etc/selvedge/kube-proxy.kubeconfig' }] },
      },
    });
  });
});

it('nothing is planned for a node that is converted', () => {
  const path = '/etc/kubernetes/kubelet.conf';
  const edit = plan(kubeadmNode()).find((step) => step.kind === 'edit');
  const files = {
    [path]: changeText(kubeadmNode().files[path]?.text ?? '', edit?.changes ?? []),
    '/etc/selvedge/edge-lite.yaml': contentOf(plan(kubeadmNode()), '/etc/selvedge/edge-lite.yaml'),
  };
  expect(plan(kubeadmNode({ files }))).toEqual([]);
});

describe('nothing is planned, with a reason, for', () => {
  const of = (parts: FactsParts) => (): unknown => plan(kubeadmNode(parts));
  it.each([
    ['a node with obstacles', of({ init: 'runit' }), /PID 1 is runit/],
    [
      'a kubeconfig with text that cannot be edited',
      of({
        files: {
          '/etc/kubernetes/kubelet.conf': (kubeadmNode().files['/etc/kubernetes/kubelet.conf']?.text ?? '')
            .replace('server: https', 'server: &api https')
            .replace(
              'name: default-cluster',
              'name: default-cluster\n- cluster: {server: *api}\n  name: default-cluster',
            ),
        },
      }),
      /not a kubeconfig that can be edited/,
    ],
  ])('%s', (_what, planned, why) => {
    expect(planned).toThrow(why);
  });
});

it('no secret of the machine is in any step', () => {
  for (const facts of [kubeadmNode(), k3sNode(), rke2Node(), plainNode()]) {
    expect(JSON.stringify(plan(facts))).not.toMatch(/PRIVATE|client-key-data":|token/i);
  }
});

it('a person reads what is done, with the lines that change', () => {
  const changes = describeSteps(plan(kubeadmNode()));
  expect(changes.map(({ what }) => what)).toEqual([
    'create directory /etc/selvedge',
    'create directory /var/lib/selvedge',
    'create directory /var/lib/selvedge/pki',
    'install /usr/local/bin/edge-lite',
    'write /var/lib/selvedge/pki/ca.crt',
    'copy /var/lib/kubelet/pki/kubelet-client-current.pem to /var/lib/selvedge/pki/client.pem',
    'write /etc/selvedge/edge-lite.yaml',
    'write /etc/systemd/system/edge-lite.service',
    'start edge-lite.service and enable it at boot',
    'edit /etc/kubernetes/kubelet.conf',
    'restart kubelet.service; containers keep running',
  ]);
  expect(changes.at(-2)?.detail).toEqual([
    expect.stringMatching(/^- certificate-authority-data: LS0t.{60,}…$/),
    '+ certificate-authority: /var/lib/selvedge/pki/hub-ca.crt',
    '- server: https://10.0.0.10:6443',
    '+ server: https://127.0.0.1:10270',
  ]);
});
