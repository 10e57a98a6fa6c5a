import type { CopySource } from '../steps/index.ts';

export type LayoutKind = 'kubeadm' | 'k3s' | 'rke2' | 'units';

/** How Kubernetes lies on a machine, as far as changing it needs. */
export interface Layout {
  readonly kind: LayoutKind;
  /** For people: `kubeadm`, `k3s agent`. */
  readonly name: string;
  readonly role: 'node' | 'control-plane';
  /** Why the node part cannot be done here, for people; empty: it can. */
  readonly obstacles: readonly string[];
  /** True if its kubelet talks to a hub already. */
  readonly converted: boolean;
  /** Of its Node. */
  readonly nodeName: string;
  readonly kubelet: KubeletLayout;
  readonly kubeProxy: KubeProxyLayout;
  /** API servers, `https://host:port`, the best first; those behind the local load balancer, if there is one. */
  readonly servers: readonly string[];
  /** The authorities of the cluster, PEM: first the one that signs API servers, then who signs clients. */
  readonly clusterCa: string;
  /** Where the kubelet's own client certificate and its key are. */
  readonly identity: readonly CopySource[];
  /** `unix:///run/containerd/containerd.sock`. */
  readonly runtimeEndpoint: string;
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  readonly clusterDomain: string;
}

export interface KubeletLayout {
  /** The unit that is restarted so that the kubelet reads its files: `kubelet.service`, `k3s-agent.service`. */
  readonly unit: string;
  /** With which it talks to API servers. */
  readonly kubeconfig: string;
  /** `edit`: that file stays as it is left; `argument`: it is written anew at each start, so another is named. */
  readonly change: LayoutChange;
}

export type LayoutChange =
  | { readonly kind: 'edit' }
  /** A file below this folder is read as a part of the configuration. */
  | { readonly kind: 'argument'; readonly folder: string };

export type KubeProxyLayout =
  /** Runs as a pod from a ConfigMap for all nodes. */
  | { readonly kind: 'daemonset' }
  /** A unit of its own. */
  | { readonly kind: 'unit'; readonly unit: string; readonly kubeconfig: string; readonly user?: string }
  /** Started by the unit of the kubelet; `user`: in its certificate. */
  | {
      readonly kind: 'argument';
      readonly kubeconfig: string;
      readonly user?: string;
      /** It runs in a pod that sees only what is mounted. */
      readonly inPod: boolean;
    }
  | { readonly kind: 'none' };

export type Recognition =
  | { readonly kind: 'known'; readonly layout: Layout }
  /** `found`: what there is, for people. */
  | { readonly kind: 'unknown'; readonly found: readonly string[] };
