export { createKubeletProxy, type KubeletProxy } from './kubelet-proxy.ts';
export { type Kubelet, kubeletOf } from './lookup.ts';
