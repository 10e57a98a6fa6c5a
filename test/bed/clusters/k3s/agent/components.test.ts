import { describe, expect, it } from 'vitest';
import { componentsOf } from './components.ts';

const programs = { kubelet: '/kubelet', kubeProxy: '/kube-proxy', containerd: '/containerd' };

describe('the parts of a k3s agent', () => {
  it('are started with its own flags', () => {
    const {
      kubelet,
      'kube-proxy': kubeProxy,
      containerd,
    } = componentsOf({ 'node-name': ['shop-1'] }, programs);
    expect(kubelet).toContain('--kubeconfig=/var/lib/rancher/k3s/agent/kubelet.kubeconfig');
    expect(kubelet).toContain('--hostname-override=shop-1');
    expect(kubeProxy).toContain('--kubeconfig=/var/lib/rancher/k3s/agent/kubeproxy.kubeconfig');
    expect(containerd).toContain('--address=/run/k3s/containerd/containerd.sock');
  });

  it('are started with what a person said instead', () => {
    const config = { 'kubelet-arg': ['kubeconfig=/ours'], 'kube-proxy-arg': ['kubeconfig=/ours-too'] };
    const { kubelet, 'kube-proxy': kubeProxy } = componentsOf(config, programs);
    expect(kubelet.filter((flag) => flag.startsWith('--kubeconfig='))).toEqual(['--kubeconfig=/ours']);
    expect(kubeProxy.filter((flag) => flag.startsWith('--kubeconfig='))).toEqual(['--kubeconfig=/ours-too']);
  });
});
