import { editedText, redirectKubeconfig } from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';
import type { ObjectName } from '../replica/types.ts';
import type { View } from './types.ts';

export interface KubeProxyConfigOptions {
  /** The ConfigMap that the pods of kube-proxy read on all nodes. */
  readonly configMap: ObjectName;
  /** The hub as programs of the machine find it, `https://host:port`. */
  readonly server: string;
}

/** As kubeadm names it. */
const key = 'kubeconfig.conf';

/**
 * Leads kube-proxy's pod of this node to the hub, though its kubeconfig is one for all nodes. Whom it trusts stays: the
 * `ca.crt` of its service account, which the view `kube-root-ca` adds the hub's authorities to.
 */
export function createKubeProxyConfigView({ configMap, server }: KubeProxyConfigOptions): View {
  return {
    name: 'kube-proxy-config',
    resources: new Set(['v1/configmaps']),
    apply(_resource, object) {
      const { metadata, data }: ConfigMap = object;
      const kubeconfig = data?.[key];
      const isIt = metadata.name === configMap.name && metadata.namespace === configMap.namespace;
      if (!isIt || kubeconfig === undefined) return object;
      const edits = redirectKubeconfig(kubeconfig, { server }) ?? [];
      if (edits.length === 0) return object;
      const next: ConfigMap = { ...object, data: { ...data, [key]: editedText(kubeconfig, edits) } };
      return next;
    },
  };
}
