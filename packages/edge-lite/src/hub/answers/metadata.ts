import type { KubeObject } from '@selvedge/kube';
import type { Form } from './accept.ts';

/** Only the metadata of an object. Source: kubernetes.io "Kubernetes API Concepts", PartialObjectMetadata. */
export function partialObject(object: KubeObject, version: Form['version']): KubeObject {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: object.metadata,
  };
}
