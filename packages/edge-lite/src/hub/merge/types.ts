import type { KubeObject } from '@selvedge/kube';
import type { RequestBody } from '../bodies/types.ts';
import type { HeldResource } from '../replica/types.ts';

/**
 * The object after a patch: JSON patch, merge patch, strategic merge patch (by Kubernetes' merge keys and directives for
 * the core types that have them), apply (as a merge by the same keys, for status). Pure. Throws `Invalid` for a patch that
 * does not apply, `Unsupported` for a type of resource that has no strategic merge.
 */
export type ApplyPatchBody = (resource: HeldResource, object: KubeObject, patch: RequestBody) => KubeObject;

/**
 * What is to be sent to the API server so that the local change from `anchor` to `current` holds on `upstream`: a strategic
 * merge patch of the status, restricted to the fields that the kubelet owns, with the uid as its precondition. Undefined
 * when upstream says so already; what a Node has only said again counts if `heartbeat` is set, and not by default.
 */
export type ReplayPatch = (
  resource: HeldResource,
  three: { readonly anchor: KubeObject; readonly current: KubeObject; readonly upstream: KubeObject },
  how?: { readonly heartbeat: boolean },
) => object | undefined;
