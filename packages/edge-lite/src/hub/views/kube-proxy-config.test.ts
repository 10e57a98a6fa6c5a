import type { ConfigMap } from '@selvedge/kube/types';
import { expect, test } from 'vitest';
import { createKubeProxyConfigView } from './kube-proxy-config.ts';

const view = createKubeProxyConfigView({
  configMap: { namespace: 'kube-system', name: 'kube-proxy' },
  server: 'https://127.0.0.1:10270',
});

/** As kubeadm writes it. Source: kubernetes/cmd/kubeadm/app/phases/addons/proxy. */
const kubeconfig = `apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
    server: https://10.0.0.10:6443
  name: default
contexts:
- context:
    cluster: default
    namespace: default
    user: default
  name: default
current-context: default
users:
- name: default
  user:
    tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token`;

const mapOf = (data: ConfigMap['data'], name = 'kube-proxy', namespace = 'kube-system'): ConfigMap => ({
  metadata: { namespace, name, resourceVersion: '7' },
  data,
});
const whole = { 'config.conf': 'mode: nftables\n', 'kubeconfig.conf': kubeconfig };

test('the kubeconfig of all nodes leads to the hub of this one, and nothing else of it changes', () => {
  const shown = view.apply('v1/configmaps', mapOf(whole));
  const led = kubeconfig.replace('https://10.0.0.10:6443', 'https://127.0.0.1:10270');
  expect(shown).toEqual(mapOf({ ...whole, 'kubeconfig.conf': led }));
  expect(view.apply('v1/configmaps', shown)).toBe(shown);
});

test.each([
  ['of another name', mapOf(whole, 'kube-proxy-2')],
  ['of another namespace', mapOf(whole, 'kube-proxy', 'shop')],
  ['without a kubeconfig', mapOf({ 'config.conf': 'mode: nftables\n' })],
  ['without data', mapOf(undefined)],
  ['with a kubeconfig that is no YAML', mapOf({ 'kubeconfig.conf': 'clusters: [' })],
  ['with a kubeconfig without a context', mapOf({ 'kubeconfig.conf': 'clusters: []\n' })],
])('a ConfigMap %s stays', (_what, configMap) => {
  expect(view.apply('v1/configmaps', configMap)).toBe(configMap);
});
