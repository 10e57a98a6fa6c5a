import type { KubeObject } from '@selvedge/kube';
import type { HeldResource, ObjectName } from '../replica/types.ts';

/** A named, pure change of what is shown; applies to reads, watches and write answers alike, proxied ones included. */
export interface View {
  readonly name: string;
  /** Resources that it may change, in every version: `v1/services`, `discovery.k8s.io/v1/endpointslices`. */
  readonly resources: ReadonlySet<HeldResource>;
  /** The same object if there is nothing to do. */
  apply(resource: HeldResource, object: KubeObject): KubeObject;
  /** Told which objects are to be shown anew, because an input changed. Undefined: all of the resource. */
  onChange?(changed: (resource: HeldResource, names: readonly ObjectName[] | undefined) => void): Disposable;
}
