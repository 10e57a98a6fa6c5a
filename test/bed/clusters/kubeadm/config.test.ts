import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { initConfig, joinConfig } from './config.ts';
import { imageNames, kubeadmRef } from './versions.ts';

const documents = (text: string): readonly Record<string, unknown>[] =>
  parseAllDocuments(text).map((one) => one.toJS() as Record<string, unknown>);

describe('the configuration of kubeadm', () => {
  const node = { name: 'cloud-1', address: '10.60.0.1' };

  it('is of a control plane, its cluster, its kubelets and its kube-proxies', () => {
    const found = documents(initConfig(node, { token: 'shop01.0123456789abcdef' }));
    expect(found.map(({ kind }) => kind)).toEqual([
      'InitConfiguration',
      'ClusterConfiguration',
      'KubeletConfiguration',
      'KubeProxyConfiguration',
    ]);
    expect(found[0]).toMatchObject({ localAPIEndpoint: { advertiseAddress: '10.60.0.1', bindPort: 6443 } });
  });

  it('is of a worker that knows its cluster by the hash of a CA', () => {
    const cluster = { token: 'shop01.0123456789abcdef', server: '10.60.0.1:6443', caHash: 'sha256:ab' };
    const [join] = documents(joinConfig({ name: 'shop-1', address: '192.168.50.11' }, cluster));
    expect(join).toMatchObject({
      discovery: { bootstrapToken: { apiServerEndpoint: '10.60.0.1:6443', caCertHashes: ['sha256:ab'] } },
      nodeRegistration: { name: 'shop-1', kubeletExtraArgs: [{ name: 'node-ip', value: '192.168.50.11' }] },
    });
  });

  it('names images by the tags that kubeadm asks for', () => {
    expect([...imageNames.controlPlane, ...imageNames.node].map(kubeadmRef)).toEqual([
      'images.selvedge.test/kubeadm/kube-apiserver:v1.36.3',
      'images.selvedge.test/kubeadm/kube-controller-manager:v1.36.3',
      'images.selvedge.test/kubeadm/kube-scheduler:v1.36.3',
      'images.selvedge.test/kubeadm/etcd:3.6.8-0',
      'images.selvedge.test/kubeadm/kube-proxy:v1.36.3',
      'images.selvedge.test/kubeadm/coredns:v1.14.7',
      'images.selvedge.test/kubeadm/pause:3.10.2',
    ]);
  });
});
