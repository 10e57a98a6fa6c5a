import type { CloudTunnel } from '../cloud/index.ts';

/** What a conversion of a node is to make of it. */
export interface ConversionOptions {
  /** The program for the machine's architecture: its name among `ExecutorDeps.sources`. */
  readonly executable: { readonly source: string; readonly sha256: string };
  /** The text of `edge-lite.service`. */
  readonly unit: string;
  /** As the cloud tells it. No servers: no tunnel. */
  readonly tunnel: CloudTunnel;
  /** API servers for edge-lite, `https://host:port`. Default: those that the kubelet uses. */
  readonly servers?: readonly string[] | undefined;
  /** `modules.hub.port` of edge-lite. Default 10270. */
  readonly hubPort?: number | undefined;
  /** The ConfigMap that kube-proxy's pods read, if they do, `namespace/name`. Default `kube-system/kube-proxy`. */
  readonly kubeProxyConfigMap?: string | undefined;
}

export const conversionDefaults = {
  kubeProxyConfigMap: 'kube-system/kube-proxy',
} as const;
