/** From a version that the hub showed to the upstream one; it throws `Conflict` for one that is stale. */
export type TranslateVersion = (shown: string) => string;

export interface RequestBody {
  /** `content-type` as it was sent. Absent: `application/json`. */
  readonly contentType: string | undefined;
  readonly bytes: Uint8Array;
}

/**
 * Rewrites every version in a request body (object metadata, delete preconditions, eviction options, patches of each
 * kind), and those of the objects that events are about, and touches nothing else: JSON, YAML (apply) and Kubernetes' protobuf envelope. Throws `Invalid` for bytes that
 * are not what their type says, `Unsupported` for other types.
 */
export type TranslateBody = (body: RequestBody, translate: TranslateVersion) => Uint8Array;

/**
 * The body as a JSON object. Of protobuf, the kinds that stock node agents send: Lease, Event (both groups), TokenRequest,
 * TokenReview, SubjectAccessReview, Node, CSINode, DeleteOptions. Throws `Invalid`, `Unsupported`.
 */
export type DecodeBody = (body: RequestBody) => Readonly<Record<string, unknown>>;
