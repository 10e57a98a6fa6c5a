import { describe, expect, it } from 'vitest';
import { componentFlags, mergeConfig } from './config.ts';

describe('the configuration of a k3s agent', () => {
  it('is of config.yaml and the drop-ins, where the last one wins', () => {
    const merged = mergeConfig(['server: https://a:6443\nkubelet-arg:\n- v=1\n', 'server: https://b:6443\n']);
    expect(merged).toEqual({ server: ['https://b:6443'], 'kubelet-arg': ['v=1'] });
  });

  it('adds what a drop-in says with a plus', () => {
    const merged = mergeConfig([
      'kubelet-arg:\n- v=1\nkube-proxy-arg: v=1\n',
      'kubelet-arg+:\n- kubeconfig=/etc/selvedge/kubelet.kubeconfig\nkube-proxy-arg: v=2\n',
    ]);
    expect(merged).toEqual({
      'kubelet-arg': ['v=1', 'kubeconfig=/etc/selvedge/kubelet.kubeconfig'],
      'kube-proxy-arg': ['v=2'],
    });
  });

  it('is nothing where the files are empty', () => {
    expect(mergeConfig(['', '# nothing\n'])).toEqual({});
  });

  it('makes flags, of which those that were given win', () => {
    const defaults = { kubeconfig: '/theirs', v: '1' };
    expect(componentFlags(defaults, ['kubeconfig=/ours', 'feature-gates=A=true'])).toEqual([
      '--feature-gates=A=true',
      '--kubeconfig=/ours',
      '--v=1',
    ]);
  });
});
