import { stringify } from 'yaml';
import type { CloudTunnel } from '../cloud/index.ts';
import { tunnelModule } from '../tunnel/index.ts';

/** What edge-lite of a lite node is told. */
export interface LiteConfig {
  readonly nodeName: string;
  readonly server: string;
  readonly caHash: string;
  readonly tokenFile: string;
  /** Absolute path. */
  readonly socket: string;
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  readonly labels: Readonly<Record<string, string>>;
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string | undefined;
  /** The CNI configuration that it writes; undefined: somebody else does. */
  readonly network: { readonly file: string; readonly bridge: string } | undefined;
  readonly tunnel: CloudTunnel;
}

/** `edge-lite.yaml`. What is not in it is its default. Pure. Source: docs/reference/edge-lite-config.md. */
export function renderLiteConfig(config: LiteConfig): string {
  const { nodeName, server, caHash, tokenFile, socket, cgroupDriver, labels, network } = config;
  const tunnel = tunnelModule(config.tunnel);
  const pods = {
    ...(config.clusterDNS.length === 0 ? {} : { clusterDNS: config.clusterDNS }),
    ...(config.clusterDomain === undefined ? {} : { clusterDomain: config.clusterDomain }),
    ...(network === undefined ? {} : { network }),
  };
  return stringify({
    apiVersion: 'edge-lite.selvedge.io/v1alpha1',
    kind: 'Config',
    nodeName,
    server: { urls: [server], caHash, tokenFile },
    runtime: { endpoint: `unix://${socket}`, cgroupDriver },
    ...(Object.keys(labels).length === 0 ? {} : { node: { labels } }),
    modules: {
      hub: {},
      pods,
      ...(tunnel === undefined ? {} : { tunnel }),
    },
  });
}
