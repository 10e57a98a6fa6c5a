import { X509Certificate } from 'node:crypto';
import { SelvedgeError } from '@selvedge/kit';
import { pinOf } from '@selvedge/kube';
import { stringify } from 'yaml';
import type { KubeProxyLayout, Layout } from '../layouts/index.ts';
import { places } from '../places.ts';
import { tunnelModule } from '../tunnel/index.ts';
import { type ConversionOptions, conversionDefaults } from './types.ts';

/** Of the first authority. */
function caHashOf(pem: string): string {
  try {
    return pinOf(new X509Certificate(pem));
  } catch (cause) {
    throw new SelvedgeError('the cluster CA is not a valid certificate', {
      code: 'Conflict',
      cause,
      hint: 'the certificate authority in the kubeconfig of the kubelet must be PEM',
    });
  }
}

/** kube-proxy as a client of the hub that shows a certificate: the hub acts for it with its own kubeconfig. */
function clientsOf(proxy: KubeProxyLayout): readonly object[] {
  if (proxy.kind === 'unit' && proxy.user !== undefined) {
    return [{ name: proxy.user, kubeconfig: places.kubeProxyKubeconfig }];
  }
  if (proxy.kind === 'argument' && proxy.user !== undefined) {
    return [{ name: proxy.user, kubeconfig: proxy.kubeconfig }];
  }
  return [];
}

function hubOf({ kubeProxy, clusterDomain }: Layout, options: ConversionOptions): object {
  const { hubPort, kubeProxyConfigMap = conversionDefaults.kubeProxyConfigMap } = options;
  const clients = clientsOf(kubeProxy);
  return {
    ...(hubPort === undefined ? {} : { port: hubPort }),
    ...(clusterDomain === 'cluster.local' ? {} : { clusterDomain }),
    ...(clients.length === 0 ? {} : { clients }),
    ...(kubeProxy.kind === 'daemonset' ? { kubeProxyConfigMap } : {}),
  };
}

/** The text of `edge-lite.yaml` of a converted node. Pure. Fields: docs/reference/edge-lite-config.md. */
export function edgeLiteConfig(layout: Layout, options: ConversionOptions): string {
  const { nodeName, clusterCa, runtimeEndpoint, cgroupDriver } = layout;
  const { servers = layout.servers } = options;
  const tunnel = tunnelModule(options.tunnel);
  return stringify({
    apiVersion: 'edge-lite.selvedge.io/v1alpha1',
    kind: 'Config',
    nodeName,
    server: { urls: servers.map((server) => new URL(server).origin), caHash: caHashOf(clusterCa) },
    runtime: { endpoint: runtimeEndpoint, cgroupDriver },
    modules: {
      hub: hubOf(layout, options),
      ...(tunnel === undefined ? {} : { tunnel }),
    },
  });
}
