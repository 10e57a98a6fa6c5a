import type { ConfigMap } from '@selvedge/kube/types';
import type { View } from './types.ts';

export interface KubeRootCaDeps {
  readonly pki: {
    /** Whom clients of the hub must trust, PEM. Empty while there is none. */
    readonly caBundle: string;
    onChange(changed: () => void): Disposable;
  };
}

const configMap = 'kube-root-ca.crt';
const key = 'ca.crt';

/** Adds the hub's authorities to what pods of this node trust. Source: kubernetes.io "RootCAConfigMap". */
export function createKubeRootCaView({ pki }: KubeRootCaDeps): View {
  return {
    name: 'kube-root-ca',
    resources: new Set(['v1/configmaps']),
    apply(_resource, object) {
      const { metadata, data }: ConfigMap = object;
      const trusted = data?.[key];
      const bundle = pki.caBundle.trim();
      if (metadata.name !== configMap || trusted === undefined || trusted.includes(bundle)) return object;
      const text = `${trusted.trimEnd()}\n${bundle}\n`;
      const next: ConfigMap = { ...object, data: { ...data, [key]: text } };
      return next;
    },
    onChange: (changed) => pki.onChange(() => changed('v1/configmaps', undefined)),
  };
}
