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

  it('is of control planes that are one by an endpoint and a key', () => {
    const certificateKey = 'ab'.repeat(32);
    const together = { endpoint: '10.60.0.1:8443', certificateKey };
    const [init, cluster] = documents(initConfig(node, { token: 'shop01.0123456789abcdef', together }));
    expect(init).toMatchObject({ certificateKey });
    expect(cluster).toMatchObject({ controlPlaneEndpoint: '10.60.0.1:8443' });
    const other = { name: 'cloud-2', address: '10.60.0.120' };
    const by = { token: 'shop01.0123456789abcdef', server: '10.60.0.1:8443', caHash: 'sha256:ab' };
    const [join] = documents(joinConfig(other, { ...by, certificateKey }));
    const localAPIEndpoint = { advertiseAddress: '10.60.0.120', bindPort: 6443 };
    expect(join).toMatchObject({ controlPlane: { localAPIEndpoint, certificateKey } });
    expect(documents(joinConfig(other, by))[0]).not.toHaveProperty('controlPlane');
  });

  it('names images by the tags that kubeadm asks for', () => {
    expect([...imageNames.controlPlane, ...imageNames.node].map(kubeadmRef)).toEqual([
      'images.selvedge.test/kubeadm/kube-apiserver:v1.36.3',
      'images.selvedge.test/kubeadm/kube-controller-manager:v1.36.3',
      'images.selvedge.test/kubeadm/kube-scheduler:v1.36.3',
      'images.selvedge.test/kubeadm/etcd:3.6.8-0',
      'images.selvedge.test/kubeadm/kube-proxy:v1.36.3',
      'images.selvedge.test/kubeadm/coredns:v1.14.2',
      'images.selvedge.test/kubeadm/pause:3.10.2',
    ]);
  });
});
